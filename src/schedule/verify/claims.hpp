// What must be complete for the results to be right.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
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
};

/// A claim and who makes it first, for messages.
struct NamedClaim {
  static constexpr std::size_t kNone = ~std::size_t{0};
  Claim claim;
  std::string holder;
  std::size_t previous = kNone;  ///< the one before of the same node, kind and heads
};

/// Each claim once: all steps of a ring's backward pass read the same lse. Claims whose positions touch are one claim,
/// as what holds for both parts holds for the whole, and the other way round: the ranks of a Ulysses group each own a
/// piece of what every other one computed.
class Claims {
 public:
  /// Claims that the `kind` in a cell is complete. `make_name` is called where this is new.
  template <typename MakeName>
  void add(const ContentMap::Cell& cell, Role kind, const Positions& positions, MakeName&& make_name) {
    const Claim claim = claim_of(cell, kind, positions);
    std::size_t& latest = latest_.try_emplace(key_of(claim), NamedClaim::kNone).first->second;
    for (std::size_t i = latest; i != NamedClaim::kNone; i = all_[i].previous) {
      if (joins(all_[i].claim, claim)) return;
    }
    all_.push_back({claim, make_name(), latest});
    latest = all_.size() - 1;
  }
  const std::vector<NamedClaim>& all() const { return all_; }

 private:
  using Key = std::array<std::int64_t, 4>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  static Claim claim_of(const ContentMap::Cell& cell, Role kind, const Positions& positions);
  static Key key_of(const Claim& c) { return {c.node, static_cast<std::int64_t>(c.kind), c.head_begin, c.head_end}; }
  /// Extends `claim` by another of the same key if their positions touch.
  static bool joins(Claim& claim, const Claim& other);

  std::vector<NamedClaim> all_;
  std::unordered_map<Key, std::size_t, KeyHash> latest_;  ///< in all_
};

}  // namespace cpbench::verification
