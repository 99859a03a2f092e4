#include "schedule/verify/claims.hpp"

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

std::size_t Claims::Hash::operator()(const Claim& c) const {
  std::uint64_t hash = c.node;
  for (const std::int64_t x : {c.position_begin, c.position_end, std::int64_t{c.head_begin}, std::int64_t{c.head_end},
                               static_cast<std::int64_t>(c.kind)}) {
    hash = (hash ^ static_cast<std::uint64_t>(x)) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace cpbench::verification
