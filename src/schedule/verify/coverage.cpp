#include "schedule/verify/coverage.hpp"

#include <algorithm>

#include "schedule/verify/band.hpp"

namespace cpbench::verification {
namespace {

/// Instead of a number of pairs, where a walk visits more nodes than there are.
constexpr int128 kEndless = -1;

struct Heads {
  std::int64_t begin, end;
  std::int64_t count() const { return std::max<std::int64_t>(0, end - begin); }
};

Heads query_heads(const Claim& claim, const Problem& problem) {
  const std::int64_t each = claim.kind == Role::kDkv ? problem.group() : 1;
  return {claim.head_begin * each, claim.head_end * each};
}

Heads shared_heads(const Claim& claim, const Problem& problem, const HeadMap& map) {
  const Heads claimed = query_heads(claim, problem);
  return {std::max<std::int64_t>(claimed.begin, map.q_global),
          std::min<std::int64_t>(claimed.end, std::int64_t{map.q_global} + map.count)};
}

/// The rows of a run within the claimed positions.
RowRun claimed_rows(const Claim& claim, const RowRun& run) {
  const std::int64_t shift = run.row_begin - run.position;
  const std::int64_t begin = std::max(run.row_begin, claim.position_begin + shift);
  return {begin, std::min(run.row_end, claim.position_end + shift), begin - shift};
}

/// The sum of min(limit, first + i * stride) over 0 <= i < count; needs first >= 0 and limit >= 0.
int128 clipped_sum(std::int64_t first, std::int64_t stride, std::int64_t count, std::int64_t limit) {
  const std::int64_t below = first >= limit ? 0 : std::min(count, (limit - first - 1) / stride + 1);
  return int128{below} * first + int128{below} * (below - 1) / 2 * stride + int128{count - below} * limit;
}

/// Partners of the tokens first + i * stride, 0 <= i < count, of one document: under a window of `before` to `after`
/// tokens, cut to the document.
int128 partners(std::int64_t first, std::int64_t stride, std::int64_t count, std::int64_t before, std::int64_t after,
                const TokenRange& document) {
  const std::int64_t last = first + (count - 1) * stride;
  return count + clipped_sum(first - document.begin, stride, count, before) +
         clipped_sum(document.end - 1 - last, stride, count, after);
}

std::string decimal(int128 value) {
  if (value < 0) return "-" + decimal(-value);
  if (value < 10) return std::string(1, static_cast<char>('0' + static_cast<int>(value)));
  return decimal(value / 10) + static_cast<char>('0' + static_cast<int>(value % 10));
}

}  // namespace

void Coverage::check(const Claim& claim, const std::string& holder, Faults& faults) {
  const int128 found = gather(claim);
  if (found == kEndless) return faults.add("{}: sums are added to themselves over and over", holder);
  if (const auto twice = find_overlap(boxes_)) {
    const auto& [a, b] = *twice;
    const std::int64_t row = std::max(a.begin[1], b.begin[1]), partner = std::max(a.begin[2], b.begin[2]);
    const char* kind = claim.kind == Role::kDkv ? "query" : "key";
    faults.add("{}: head {} of token {} has {} twice: from {} and from {}", holder, std::max(a.begin[0], b.begin[0]),
               positions_.token_at(row),
               claim.kind == Role::kDsink     ? std::string("its sink's gradient")
               : partner < positions_.count() ? fmt::format("{} token {}", kind, positions_.token_at(partner))
                                              : std::string("its sink"),
               describe_event(a.event), describe_event(b.event));
    return;
  }
  if (found == expected(claim)) return;
  const Claim wrong = first_wrong_row(claim);
  faults.add("{}: heads [{}, {}) of token {} have {} of the {} pairs expected (of all rows {} of {})", holder,
             claim.head_begin, claim.head_end, positions_.token_at(wrong.position_begin), decimal(gather(wrong)),
             decimal(expected(wrong)), decimal(found), decimal(expected(claim)));
}

Claim Coverage::first_wrong_row(Claim claim) {
  while (claim.position_end - claim.position_begin > 1) {
    Claim half = claim;
    half.position_end = claim.position_begin + (claim.position_end - claim.position_begin) / 2;
    const bool in_first_half = gather(half) != expected(half);
    (in_first_half ? claim.position_end : claim.position_begin) = half.position_end;
  }
  return claim;
}

int128 Coverage::gather(const Claim& claim) {
  boxes_.clear();
  int128 pairs = 0;
  stack_.assign(1, claim.node);
  for (std::size_t visited = 0; !stack_.empty(); ++visited) {
    const Node& node = provenance_.node(stack_.back());
    stack_.pop_back();
    if (node.event != Node::kNoEvent) pairs += gather_event(claim, node.event);
    if (node.left != kNothing) stack_.push_back(node.left);
    if (node.right != kNothing) stack_.push_back(node.right);
    if (visited > provenance_.node_count()) return kEndless;
  }
  return pairs;
}

int128 Coverage::gather_event(const Claim& claim, EventId id) {
  const Event& event = provenance_.event(id);
  const Program& program = schedule_.programs[static_cast<std::size_t>(event.rank)];
  const Op& op = op_of(event);
  if (const auto* attend = std::get_if<Attend>(&op.action)) {
    int128 pairs = gather_tiles(claim, id, program.tiles_of(*attend), attend->heads);
    if (attend->first && attend->sink != kNoBuffer) {
      pairs += gather_rows(claim, id, attend->heads, positions_.count());
    }
    return pairs;
  }
  if (const auto* attend = std::get_if<AttendBackward>(&op.action)) {
    return gather_tiles(claim, id, program.tiles_of(*attend), attend->heads);
  }
  return gather_rows(claim, id, std::get<SinkGradient>(op.action).heads, 0);
}

int128 Coverage::gather_tiles(const Claim& claim, EventId id, std::span<const Tile> tiles, const HeadMap& map) {
  const Heads heads = shared_heads(claim, schedule_.of.problem, map);
  if (heads.count() == 0) return 0;
  const Event& event = provenance_.event(id);
  const bool by_key = side_of(claim) == Side::kKeys;
  const std::vector<RowRun>& rows = row_maps_[by_key ? event.keys : event.rows].runs;
  const std::vector<RowRun>& partners = row_maps_[by_key ? event.rows : event.keys].runs;
  int128 pairs = 0;
  for (const RowRun& run : rows) {
    const RowRun claimed = claimed_rows(claim, run);
    if (claimed.row_begin >= claimed.row_end) continue;
    const bool all = rows.size() == 1 && claimed == run;  // a tile has no other rows
    const bool some = by_key && !all;
    for (const Tile& original : some ? tile_index_.near_keys(tiles, claimed.row_begin, claimed.row_end) : tiles) {
      const Tile t = by_key ? transposed(original) : original;
      if (t.q_begin >= claimed.row_end || t.q_end() <= claimed.row_begin) continue;
      auto partner = std::ranges::partition_point(partners, [&](const RowRun& r) { return r.row_end <= t.k_begin; });
      for (; partner != partners.end() && partner->row_begin < t.k_end(); ++partner) {
        const Tile part = keys_of(rows_of(t, claimed.row_begin, claimed.row_end), partner->row_begin, partner->row_end);
        const int128 count = count_pairs(part);
        if (count == 0) continue;
        const std::int64_t row = claimed.position + (part.q_begin - claimed.row_begin);
        const std::int64_t key = partner->position + (part.k_begin - partner->row_begin);
        boxes_.push_back({{heads.begin, row, key}, {heads.end, row + part.q_count, key + part.k_count}, id});
        pairs += count;
      }
    }
  }
  return pairs * heads.count();
}

int128 Coverage::gather_rows(const Claim& claim, EventId id, const HeadMap& map, std::int64_t partner) {
  const Heads heads = shared_heads(claim, schedule_.of.problem, map);
  if (heads.count() == 0) return 0;
  std::int64_t count = 0;
  for (const RowRun& run : row_maps_[provenance_.event(id).rows].runs) {
    const RowRun rows = claimed_rows(claim, run);
    if (rows.row_begin >= rows.row_end) continue;
    const std::int64_t position_end = rows.position + (rows.row_end - rows.row_begin);
    boxes_.push_back({{heads.begin, rows.position, partner}, {heads.end, position_end, partner + 1}, id});
    count += rows.row_end - rows.row_begin;
  }
  return int128{count} * heads.count();
}

int128 Coverage::expected(const Claim& claim) const {
  const Problem& problem = schedule_.of.problem;
  const std::int64_t rows = claim.position_end - claim.position_begin;
  int128 each = 0;
  if (claim.kind == Role::kDsink) {
    each = rows;
  } else {
    each = allowed_pairs(side_of(claim), claim.position_begin, claim.position_end);
    if (claim.kind == Role::kOut && problem.sink) each += rows;
  }
  return each * query_heads(claim, problem).count();
}

int128 Coverage::allowed_pairs(Side side, std::int64_t position_begin, std::int64_t position_end) const {
  const Mask& mask = schedule_.of.problem.mask;
  const Documents& documents = schedule_.of.problem.documents;
  const std::int64_t before = side == Side::kQueries ? mask.left : mask.right;
  const std::int64_t after = side == Side::kQueries ? mask.right : mask.left;
  int128 pairs = 0;
  for (const TokenRun& run : positions_.tokens_of(position_begin, position_end)) {
    std::int64_t token = run.first;
    for (std::int64_t row = run.row_begin, count = 0; row < run.row_end; row += count, token += count * run.stride) {
      const TokenRange document = documents.range(documents.index_of(token));
      count = std::min(run.row_end - row, (document.end - 1 - token) / run.stride + 1);
      pairs += partners(token, run.stride, count, before, after, document);
    }
  }
  return pairs;
}

std::string Coverage::describe_event(EventId id) const {
  const Event& event = provenance_.event(id);
  return describe(event.rank, schedule_.programs[static_cast<std::size_t>(event.rank)], event.op);
}

}  // namespace cpbench::verification
