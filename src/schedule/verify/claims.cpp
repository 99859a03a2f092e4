#include "schedule/verify/claims.hpp"

#include <algorithm>

#include "support/hash.hpp"

namespace cpbench::verification {

Claim Claims::claim_of(const ContentMap::Cell& cell, Role kind, const Positions& positions) {
  const Content& content = cell.value;
  const bool is_sink = kind == Role::kDsink;
  return {.node = content.node,
          .kind = kind == Role::kLse || kind == Role::kDelta ? Role::kOut : kind,
          .head_begin = cell.head_begin + content.head_shift,
          .head_end = cell.head_end + content.head_shift,
          .position_begin = is_sink ? 0 : cell.row_begin + content.row_shift,
          .position_end = is_sink ? positions.count() : cell.row_end + content.row_shift};
}

bool Claims::joins(Claim& claim, const Claim& other) {
  if (claim.position_begin > other.position_end || other.position_begin > claim.position_end) return false;
  claim.position_begin = std::min(claim.position_begin, other.position_begin);
  claim.position_end = std::max(claim.position_end, other.position_end);
  return true;
}

std::size_t Claims::KeyHash::operator()(const Key& key) const {
  Hash hash;
  for (const std::int64_t x : key) hash.add(x);
  return hash.value();
}

}  // namespace cpbench::verification
