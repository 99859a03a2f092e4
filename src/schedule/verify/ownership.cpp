#include "schedule/verify/ownership.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace cpbench::verification {
namespace {

struct Owned {
  Segment segment;
  int rank;
};

/// The stride that most tokens have. Single tokens have any.
std::int64_t main_stride(const std::vector<Owned>& all) {
  std::unordered_map<std::int64_t, std::int64_t> tokens_with;
  std::int64_t best = 1;
  for (const Owned& o : all) {
    if (o.segment.count > 1) tokens_with[o.segment.stride] += o.segment.count;
  }
  for (const auto& [stride, count] : tokens_with) {
    const auto found = tokens_with.find(best);
    if (found == tokens_with.end() || count > found->second) best = stride;
  }
  return best;
}

/// The same tokens, in segments of one stride.
std::vector<Owned> with_stride(const std::vector<Owned>& all, std::int64_t stride) {
  std::vector<Owned> result;
  for (const Owned& o : all) {
    if (o.segment.stride == stride) {
      result.push_back(o);
      continue;
    }
    for (std::int64_t i = 0; i < o.segment.count; ++i) result.push_back({{o.segment.at(i), 1, stride}, o.rank});
  }
  return result;
}

}  // namespace

void check_partition(const std::vector<Tokens>& tokens, std::int64_t seq_len, Faults& faults) {
  std::vector<Owned> all;
  std::int64_t missing = seq_len;
  for (std::size_t rank = 0; rank < tokens.size(); ++rank) {
    for (const Segment& s : tokens[rank]) {
      if (s.count < 1 || s.stride < 1 || s.first < 0 || s.first >= seq_len ||
          (s.count > 1 && s.count - 1 > (seq_len - 1 - s.first) / s.stride)) {
        return faults.add("rank {} owns tokens {} + {} i for i < {}, of a sequence of {}", rank, s.first, s.stride,
                          s.count, seq_len);
      }
      all.push_back({s, static_cast<int>(rank)});
      missing -= s.count;
    }
  }
  // In a residue class of the stride, segments are intervals: sorted by first token, neighbours tell of any overlap.
  const std::int64_t stride = main_stride(all);
  all = with_stride(all, stride);
  std::ranges::sort(all, {}, [&](const Owned& o) { return std::tuple(o.segment.first % stride, o.segment.first); });
  for (std::size_t i = 1; i < all.size(); ++i) {
    const Owned &a = all[i - 1], &b = all[i];
    if (a.segment.first % stride == b.segment.first % stride && b.segment.first <= a.segment.last()) {
      faults.add("token {} belongs to rank {} and to rank {}", b.segment.first, a.rank, b.rank);
    }
  }
  if (missing != 0) faults.add("the ranks own {} tokens of a sequence of {}", seq_len - missing, seq_len);
}

Positions::Positions(const std::vector<Tokens>& tokens) : first_{0} {
  Tokens line;
  for (const Tokens& rows : tokens) {
    for (const Segment& s : rows) append(line, s);
    first_.push_back(first_.back() + count_of(rows));
  }
  std::int64_t position = 0;
  for (const Segment& s : line) {
    runs_.push_back({position, position + s.count, s.first, s.stride});
    position += s.count;
  }
}

std::vector<TokenRun>::const_iterator Positions::run_of(std::int64_t position) const {
  return std::ranges::upper_bound(runs_, position, {}, &TokenRun::row_begin) - 1;
}

std::int64_t Positions::token_at(std::int64_t position) const {
  const auto run = run_of(position);
  return run->first + (position - run->row_begin) * run->stride;
}

std::vector<TokenRun> Positions::tokens_of(std::int64_t begin, std::int64_t end) const {
  std::vector<TokenRun> result;
  if (begin == end) return result;
  for (auto run = run_of(begin); run != runs_.end() && run->row_begin < end; ++run) {
    const std::int64_t from = std::max(begin, run->row_begin);
    result.push_back(
        {from, std::min(end, run->row_end), run->first + (from - run->row_begin) * run->stride, run->stride});
  }
  return result;
}

}  // namespace cpbench::verification
