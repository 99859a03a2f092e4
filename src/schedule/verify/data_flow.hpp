// Follows what every buffer of every rank holds through a run of all programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schedule/verify/claims.hpp"
#include "schedule/verify/faults.hpp"
#include "schedule/verify/matching.hpp"

namespace cpbench::verification {

/// Checks at each operation that its operands belong together and that its tiles hold allowed pairs only, and collects
/// the claims: results, and what the backward pass reads of the forward pass's. Presumes that no accesses conflict: any
/// legal order then has the same outcome. Stops following after the first fault, as the rest would be its consequences.
class DataFlow : public Observer {
 public:
  DataFlow(const Schedule& schedule, const Positions& positions, Faults& faults);

  void on_compute(int rank, OpId op) override;
  void on_transfer(const Endpoint& from, const Endpoint& to) override;
  /// After the run: every result must be there, with the rows and heads of its owner. What it is made of is claimed.
  void check_results();

  const RowMaps& row_maps() const { return row_maps_; }
  const Provenance& provenance() const { return provenance_; }
  const std::vector<NamedClaim>& claims() const { return claims_.all(); }

 private:
  void follow(const Attend& a);
  void follow(const AttendBackward& a);
  void follow(const Delta& d);
  void follow(const SinkGradient& s);
  void follow(const Add& a);
  void follow(const Copy& c);
  void follow(const Merge& m);
  void follow(const Exchange&) {}  // its transfers are followed one by one

  const Program& program() const { return schedule_.programs[static_cast<std::size_t>(rank_)]; }
  ContentMap& map(BufferId id) { return contents_.of(rank_, id); }
  Region mapped_heads(BufferId id, const HeadMap& heads) const {
    return {id, heads.q_begin, heads.count, 0, program().buffer(id).rows};
  }
  template <typename... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    faults_.add("{}: {}", describe(rank_, program(), op_), fmt::format(format, std::forward<Args>(args)...));
  }

  /// The rows of `box` that hold a `kind` with this head shift in all of the box's heads.
  RowMapId rows_of(const Region& box, Role kind, std::int32_t head_shift);
  /// Whether all rows of the mapped heads hold a `kind`: those of `rows`, if any are known yet, which are set
  /// otherwise.
  bool expect(BufferId id, const HeadMap& heads, Role kind, std::optional<RowMapId>& rows);
  bool expect_sink(BufferId sink, const HeadMap& heads);
  bool expect_allowed(std::span<const Tile> tiles, RowMapId rows, RowMapId keys);
  /// The K/V heads that `heads` reads, in the rows that the tiles span.
  Region attended_keys(BufferId kv, const HeadMap& heads, std::span<const Tile> tiles) const;

  /// The heads of `box` hold a `kind` in the rows of `rows`, made by `event` alone.
  void begin(const Region& box, Role kind, std::int32_t head_shift, RowMapId rows, EventId event);
  /// `event` adds to what the box holds.
  void contribute(const Region& box, EventId event);
  void write_results(const Attend& a);
  /// What an accumulator of the key gradients holds at zero becomes that of the keys.
  void settle_zeros(const Region& box, std::int32_t head_shift, RowMapId keys);

  void claim(const ContentMap::Cell& cell, Role kind, const char* use);
  void claim_complete(BufferId id, const HeadMap& heads);
  void check_result(int rank, BufferId id, Role kind);

  const Schedule& schedule_;
  const Positions& positions_;
  Faults& faults_;
  int rank_ = 0;  ///< of the operation being followed
  OpId op_ = -1;  ///< -1: after all of them
  Contents contents_;
  RowMaps row_maps_;
  Provenance provenance_;
  Claims claims_;
  std::vector<RowRun> runs_;  ///< scratch
};

}  // namespace cpbench::verification
