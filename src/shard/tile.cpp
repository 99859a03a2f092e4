#include "shard/tile.hpp"

#include <algorithm>
#include <iterator>

namespace cpbench {
namespace {

// Division in C++ truncates; bands need true floor and ceiling. The divisor is positive.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

// A segment of an operand and the row of the operand's buffer where it begins.
struct Rows {
  Segment tokens;
  std::int64_t begin;

  Rows single(std::int64_t index) const { return {{tokens.at(index), 1, 1}, begin + index}; }
};

// Keys within [first_key, last_key] are too far from every query within [first_query, last_query].
bool out_of_reach(TokenRange queries, TokenRange keys, const Mask& mask) {
  return keys.begin - (queries.end - 1) > mask.right || queries.begin - (keys.end - 1) > mask.left;
}

TokenRange hull(const Segment& tokens) { return {tokens.first, tokens.last() + 1}; }

TokenRange hull(const Tokens& tokens) {
  TokenRange range = hull(tokens.front());
  for (const Segment& segment : tokens) {
    range = {std::min(range.begin, segment.first), std::max(range.end, segment.last() + 1)};
  }
  return range;
}

// Appends the band lo..hi over whole operands, trimmed to the rows and columns that have a pair, if there are any.
void append_trimmed(std::vector<Tile>& tiles, const Rows& q, const Rows& k, std::int64_t lo, std::int64_t hi) {
  lo = std::max(lo, -(q.tokens.count - 1));
  hi = std::min(hi, k.tokens.count - 1);
  const std::int64_t first_query = std::max<std::int64_t>(0, -hi);
  const std::int64_t last_query = std::min(q.tokens.count - 1, k.tokens.count - 1 - lo);
  const std::int64_t first_key = std::max<std::int64_t>(0, lo);
  const std::int64_t last_key = std::min(k.tokens.count - 1, q.tokens.count - 1 + hi);
  if (lo > hi || first_query > last_query || first_key > last_key) return;
  const std::int64_t shift = first_query - first_key;  // the trimmed band is still clamped
  tiles.push_back({q.begin + first_query, last_query - first_query + 1, k.begin + first_key, last_key - first_key + 1,
                   lo + shift, hi + shift});
}

// Appends the tiles of two segments that lie in one document.
void append_pair(std::vector<Tile>& tiles, const Rows& q, const Rows& k, const Mask& mask) {
  if (out_of_reach(hull(q.tokens), hull(k.tokens), mask)) return;
  if (q.tokens.count > 1 && k.tokens.count > 1 && q.tokens.stride != k.tokens.stride) {
    const bool split_queries = q.tokens.count <= k.tokens.count;
    for (std::int64_t i = 0; i < (split_queries ? q : k).tokens.count; ++i) {
      append_pair(tiles, split_queries ? q.single(i) : q, split_queries ? k : k.single(i), mask);
    }
    return;
  }
  const std::int64_t stride = q.tokens.count > 1 ? q.tokens.stride : k.tokens.stride;
  const std::int64_t distance = q.tokens.first - k.tokens.first;
  // No two tokens are farther apart than this, and the sums below cannot overflow.
  const std::int64_t left = std::min(mask.left, Documents::kMaxSeqLen);
  const std::int64_t right = std::min(mask.right, Documents::kMaxSeqLen);
  append_trimmed(tiles, q, k, ceil_divide(distance - left, stride), floor_divide(distance + right, stride));
}

void append_all_pairs(std::vector<Tile>& tiles, const Tokens& q, const Tokens& k, const Mask& mask) {
  std::int64_t q_row = 0;
  for (const Segment& queries : q) {
    std::int64_t k_row = 0;
    for (const Segment& keys : k) {
      append_pair(tiles, {queries, q_row}, {keys, k_row}, mask);
      k_row += keys.count;
    }
    q_row += queries.count;
  }
}

// Rows that lie in one document.
struct Piece {
  std::int64_t document;
  Rows rows;
};

bool by_document(const Piece& a, const Piece& b) { return a.document < b.document; }

// The tokens cut at the borders of documents, in the order of documents.
std::vector<Piece> pieces_of(const Tokens& tokens, const Documents& documents) {
  std::vector<Piece> pieces;
  std::int64_t row = 0;
  for (const Segment& segment : tokens) {
    for (std::int64_t index = 0; index < segment.count;) {
      const std::int64_t first = segment.at(index);
      const std::int64_t document = documents.index_of(first);
      const std::int64_t inside = ceil_divide(documents.range(document).end - first, segment.stride);
      const std::int64_t count = std::min(segment.count - index, inside);
      pieces.push_back({document, {{first, count, segment.stride}, row + index}});
      index += count;
    }
    row += segment.count;
  }
  // A ring position's tokens are in order already; lists joined from several ranks are not.
  if (!std::is_sorted(pieces.begin(), pieces.end(), by_document)) {
    std::stable_sort(pieces.begin(), pieces.end(), by_document);
  }
  return pieces;
}

// As append_all_pairs, but only segments of the same document meet.
void append_pairs_by_document(std::vector<Tile>& tiles, const Tokens& q, const Tokens& k, const Mask& mask,
                              const Documents& documents) {
  const std::vector<Piece> queries = pieces_of(q, documents);
  const std::vector<Piece> keys = pieces_of(k, documents);
  auto same_begin = keys.begin();
  for (const Piece& query : queries) {
    while (same_begin != keys.end() && by_document(*same_begin, query)) ++same_begin;
    for (auto key = same_begin; key != keys.end() && key->document == query.document; ++key) {
      append_pair(tiles, query.rows, key->rows, mask);
    }
  }
}

// Pairs (i, j) with 0 <= i < q_count, 0 <= j < k_count and j - i <= hi, for hi < k_count. Counted from the corner
// i = q_count - 1, j = 0 they fill a triangle, less what of it lies outside of the rectangle.
int128 pairs_up_to(int128 q_count, int128 k_count, int128 hi) {
  const auto triangle = [](int128 side) { return side > 0 ? side * (side + 1) / 2 : 0; };
  const int128 side = q_count + hi;
  return triangle(side) - triangle(side - q_count) - triangle(side - k_count) + triangle(side - q_count - k_count);
}

}  // namespace

RowSpan query_span(std::span<const Tile> tiles) {
  if (tiles.empty()) return {};
  return {std::ranges::min(tiles, {}, &Tile::q_begin).q_begin, std::ranges::max(tiles, {}, &Tile::q_end).q_end()};
}

RowSpan key_span(std::span<const Tile> tiles) {
  if (tiles.empty()) return {};
  return {std::ranges::min(tiles, {}, &Tile::k_begin).k_begin, std::ranges::max(tiles, {}, &Tile::k_end).k_end()};
}

int128 pairs_of(const Tile& tile) {
  const std::int64_t lo = std::max(tile.lo, -(tile.q_count - 1));
  const std::int64_t hi = std::min(tile.hi, tile.k_count - 1);
  if (lo > hi) return 0;
  return pairs_up_to(tile.q_count, tile.k_count, hi) - pairs_up_to(tile.q_count, tile.k_count, int128{lo} - 1);
}

int128 pairs_of(std::span<const Tile> tiles) {
  int128 pairs = 0;
  for (const Tile& tile : tiles) pairs += pairs_of(tile);
  return pairs;
}

std::vector<Tile> tiles_of(const Tokens& q, const Tokens& k, const Mask& mask, const Documents& documents) {
  std::vector<Tile> tiles;
  if (q.empty() || k.empty()) return tiles;
  if (documents.count() == 1) {
    append_all_pairs(tiles, q, k, mask);
  } else if (!out_of_reach(hull(q), hull(k), mask)) {
    append_pairs_by_document(tiles, q, k, mask, documents);
  }
  return tiles;
}

}  // namespace cpbench
