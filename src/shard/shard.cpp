#include "shard/shard.hpp"

#include <algorithm>
#include <stdexcept>

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<ShardKind>, 4> kNames = {{{ShardKind::kContiguous, "contiguous"},
                                                     {ShardKind::kZigzag, "zigzag"},
                                                     {ShardKind::kStriped, "striped"},
                                                     {ShardKind::kZigzagDocs, "zigzag-docs"}}};

// The index-th of `chunks` pieces of `range`. Sizes differ by at most one token; the larger pieces are those from
// `first_larger` on, going round.
Segment chunk(TokenRange range, std::int64_t chunks, std::int64_t index, std::int64_t first_larger = 0) {
  const std::int64_t size = range.count() / chunks;
  const std::int64_t end_larger = first_larger + range.count() % chunks;
  const auto is_larger = [&](std::int64_t i) {
    return (i >= first_larger && i < end_larger) || i < end_larger - chunks;
  };
  const std::int64_t larger_before = std::clamp<std::int64_t>(index - first_larger, 0, end_larger - first_larger) +
                                     std::clamp<std::int64_t>(end_larger - chunks, 0, index);
  return {range.begin + index * size + larger_before, size + (is_larger(index) ? 1 : 0), 1};
}

void append_zigzag(Tokens& tokens, TokenRange range, std::int64_t positions, std::int64_t position,
                   std::int64_t first_larger = 0) {
  append(tokens, chunk(range, 2 * positions, position, first_larger));
  append(tokens, chunk(range, 2 * positions, 2 * positions - 1 - position, first_larger));
}

// What documents do not divide evenly is dealt on from document to document, so that many short ones leave no position
// without tokens.
Tokens zigzag_of_documents(const Documents& documents, std::int64_t positions, std::int64_t position) {
  Tokens tokens;
  std::int64_t dealt = 0;
  for (std::int64_t document = 0; document < documents.count(); ++document) {
    const TokenRange range = documents.range(document);
    append_zigzag(tokens, range, positions, position, dealt);
    dealt = (dealt + range.count()) % (2 * positions);
  }
  return tokens;
}

Tokens shard_of(ShardKind kind, const Documents& documents, std::int64_t positions, std::int64_t position) {
  const TokenRange sequence{0, documents.seq_len()};
  Tokens tokens;
  switch (kind) {
    case ShardKind::kContiguous:
      append(tokens, chunk(sequence, positions, position));
      break;
    case ShardKind::kZigzag:
      append_zigzag(tokens, sequence, positions, position);
      break;
    case ShardKind::kStriped:
      append(tokens, {position, chunk(sequence, positions, position).count, positions});
      break;
    case ShardKind::kZigzagDocs:
      tokens = zigzag_of_documents(documents, positions, position);
      break;
  }
  return tokens;
}

}  // namespace

std::string_view name_of(ShardKind kind) { return name_in(kNames, kind); }
ShardKind parse_shard(std::string_view name) { return parse_in(kNames, "shard", name); }

std::vector<Tokens> shard_over_ring(ShardKind kind, const Documents& documents, int positions) {
  if (positions < 1) throw std::logic_error("a sequence sharded over less than one ring position");
  std::vector<Tokens> shards;
  shards.reserve(static_cast<std::size_t>(positions));
  for (int position = 0; position < positions; ++position) {
    shards.push_back(shard_of(kind, documents, positions, position));
  }
  return shards;
}

std::vector<Tokens> shard_over_grid(ShardKind kind, const Documents& documents, const Grid& grid) {
  const std::vector<Tokens> ring = shard_over_ring(kind, documents, grid.ring());
  std::vector<Tokens> shards(static_cast<std::size_t>(grid.size()));
  for (int position = 0; position < grid.ring(); ++position) {
    std::vector<Tokens> places = cut(ring[static_cast<std::size_t>(position)], grid.ulysses);
    for (int place = 0; place < grid.ulysses; ++place) {
      shards[static_cast<std::size_t>(grid.rank_of(place, position))] =
          std::move(places[static_cast<std::size_t>(place)]);
    }
  }
  return shards;
}

}  // namespace cpbench
