// Every allowed pair once and no other: counted from what the data flow brought together.
#pragma once

#include <vector>

#include "schedule/schedule.hpp"
#include "schedule/verify/box_overlap.hpp"
#include "schedule/verify/claims.hpp"
#include "schedule/verify/faults.hpp"
#include "schedule/verify/tile_index.hpp"

namespace cpbench::verification {

/// Proves claims complete. Given that all pairs of all tiles are allowed (the data flow sees to that), a claim holds
/// exactly the allowed pairs once iff the rectangles that contribute to it are disjoint and hold as many pairs as the
/// problem allows; the latter are counted from its tokens, a run of them in a document at a time. A sink is one more
/// key of every query.
class Coverage {
 public:
  Coverage(const Schedule& schedule, const Positions& positions, const RowMaps& row_maps, const Provenance& provenance,
           TileIndex& tile_index)
      : schedule_(schedule),
        positions_(positions),
        row_maps_(row_maps),
        provenance_(provenance),
        tile_index_(tile_index) {}

  /// Reports what is missing or twice in a claim; `holder` says who claims it.
  void check(const Claim& claim, const std::string& holder, Faults& faults);

 private:
  /// Whose rows a claim is about: each pair is a row and its partner.
  enum class Side : std::uint8_t { kQueries, kKeys };
  static Side side_of(const Claim& claim) { return claim.kind == Role::kDkv ? Side::kKeys : Side::kQueries; }

  const Op& op_of(const Event& event) const {
    return schedule_.programs[static_cast<std::size_t>(event.rank)].ops[static_cast<std::size_t>(event.op)];
  }

  /// Collects boxes_ and returns their pairs, summed over query heads.
  int128 gather(const Claim& claim);
  int128 gather_event(const Claim& claim, EventId id);
  int128 gather_tiles(const Claim& claim, EventId id, std::span<const Tile> tiles, const HeadMap& heads);
  int128 gather_rows(const Claim& claim, EventId id, const HeadMap& heads, std::int64_t partner);

  int128 expected(const Claim& claim) const;
  int128 allowed_pairs(Side side, std::int64_t position_begin, std::int64_t position_end) const;
  Claim first_wrong_row(Claim claim);
  std::string describe_event(EventId id) const;

  const Schedule& schedule_;
  const Positions& positions_;
  const RowMaps& row_maps_;
  const Provenance& provenance_;
  TileIndex& tile_index_;
  std::vector<Box> boxes_;
  std::vector<NodeId> stack_;
};

}  // namespace cpbench::verification
