// What must be complete for the results to be right.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "schedule/verify/contents.hpp"

namespace cpbench::verification {

/// Positions [position_begin, position_end) and heads [head_begin, head_end) of the value of a node must be complete.
/// Heads are K/V heads for dkv and query heads otherwise; for dsink all positions count.
struct Claim {
  NodeId node;
  Role kind;  ///< kOut (for lse and delta too), kDq, kDkv or kDsink
  std::int32_t head_begin, head_end;
  std::int64_t position_begin, position_end;
  bool operator==(const Claim&) const = default;
};

/// A claim and who makes it first, for messages.
struct NamedClaim {
  Claim claim;
  std::string holder;
};

/// Each claim once: all steps of a ring's backward pass read the same lse.
class Claims {
 public:
  /// Claims that the `kind` in a cell is complete. `make_name` is called where this is new.
  template <typename MakeName>
  void add(const ContentMap::Cell& cell, Role kind, const Positions& positions, MakeName&& make_name) {
    const Claim claim = claim_of(cell, kind, positions);
    if (known_.insert(claim).second) all_.push_back({claim, make_name()});
  }
  const std::vector<NamedClaim>& all() const { return all_; }

 private:
  struct Hash {
    std::size_t operator()(const Claim& claim) const;
  };
  static Claim claim_of(const ContentMap::Cell& cell, Role kind, const Positions& positions);

  std::vector<NamedClaim> all_;
  std::unordered_set<Claim, Hash> known_;
};

}  // namespace cpbench::verification
