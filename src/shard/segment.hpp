// Token positions as arithmetic progressions.
#pragma once

#include <cstdint>
#include <vector>

namespace cpbench {

/// Tokens first, first + stride, ..., count of them. stride >= 1; with count 1 the stride means nothing.
struct Segment {
  std::int64_t first, count, stride;
  std::int64_t at(std::int64_t index) const { return first + index * stride; }
  std::int64_t last() const { return at(count - 1); }
  bool operator==(const Segment&) const = default;
};

/// The tokens of a shard in the order of its rows. Canonical: no empty segments, and neighbours that continue each
/// other are merged (see append).
using Tokens = std::vector<Segment>;

std::int64_t count_of(const Tokens& tokens);
/// Appends a segment, merging it with the last one where both form one progression. Empty segments vanish.
void append(Tokens& tokens, Segment segment);
/// Rows [begin, begin + count) of `tokens`.
Tokens slice(const Tokens& tokens, std::int64_t begin, std::int64_t count);
/// `parts` lists whose rows follow each other; sizes differ by at most one, larger ones first.
std::vector<Tokens> cut(const Tokens& tokens, int parts);
/// The token of every row, one by one: for tests and small sizes.
std::vector<std::int64_t> expand(const Tokens& tokens);

}  // namespace cpbench
