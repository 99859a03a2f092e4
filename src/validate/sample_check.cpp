// The sampled check: all ranks share the work on some rows, and nothing that grows with the length is gathered.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>
#include <stdexcept>

#include "validate/group_results.hpp"
#include "validate/host_reference.hpp"
#include "validate/on_threads.hpp"
#include "validate/read_row.hpp"
#include "validate/sample.hpp"
#include "validate/token_block.hpp"

namespace cpbench {
namespace {

class SampleCheck {
 public:
  explicit SampleCheck(const CheckContext& context) : context_(context), problem_(context.inputs.problem()) {
    // For sums over keys any share would do; for sums over queries a rank has to take its own.
    const std::int64_t rank = context.collective.rank(), ranks = context.collective.size();
    const auto begin_of = [&](std::int64_t r) {
      return problem_.seq_len / ranks * r + std::min(problem_.seq_len % ranks, r);
    };
    append(share_of_keys_, {begin_of(rank), begin_of(rank + 1) - begin_of(rank), 1});
  }

  ValidationReport run(std::int64_t rows);

 private:
  void require_all_tokens() const;
  std::int64_t place_of(std::int64_t token) const;
  GroupRows rows_of(const GroupSample& sample) const;
  GroupResults compute(const SingleDevice& device, const GroupRows& rows, const RowStatistics& own) const;
  SoftmaxRows merged(SoftmaxRows part) const;
  /// Statistics of the rank's own queries [group][rows] from what it holds of out and lse. Those of queries far from
  /// all `ranges` are left out (zero).
  RowStatistics own_statistics(HeadGroup group, std::span<const TokenRange> ranges) const;
  std::vector<TokenRange> queries_of(const std::vector<std::int64_t>& keys) const;
  void check_sinks(const std::set<int>& kv_heads, ErrorAccumulator& errors) const;

  const CheckContext& context_;
  const Problem& problem_;
  Tokens share_of_keys_;
};

void SampleCheck::require_all_tokens() const {
  std::array<double, 1> count = {static_cast<double>(count_of(context_.tokens))};
  context_.collective.sum(count);
  if (count[0] != static_cast<double>(problem_.seq_len)) {
    throw std::logic_error("the ranks' tokens are not a partition of the sequence");
  }
}

std::int64_t SampleCheck::place_of(std::int64_t token) const {
  std::int64_t first_row = 0;
  for (const Segment& segment : context_.tokens) {
    const std::int64_t distance = token - segment.first;
    if (distance >= 0 && distance % segment.stride == 0 && distance / segment.stride < segment.count) {
      return first_row + distance / segment.stride;
    }
    first_row += segment.count;
  }
  return kElsewhere;
}

GroupRows SampleCheck::rows_of(const GroupSample& sample) const {
  GroupRows rows{.group = sample.group, .keys = sample.tokens};
  for (const std::int64_t token : sample.tokens) {
    rows.queries.push_back({token, sampled_head(context_.inputs, sample.group, token)});
    rows.key_places.push_back(place_of(token));
  }
  rows.query_places = rows.key_places;
  return rows;
}

SoftmaxRows SampleCheck::merged(SoftmaxRows part) const {
  SoftmaxRows all = part;
  context_.collective.max(all.max);
  const auto dim = static_cast<std::size_t>(problem_.head_dim_v);
  for (std::size_t r = 0; r < all.max.size(); ++r) {
    // A part without keys has max -inf and weighs nothing.
    const double weight = part.max[r] == all.max[r] ? 1 : std::exp(part.max[r] - all.max[r]);
    all.sum[r] *= weight;
    for (std::size_t c = 0; c < dim; ++c) all.out[r * dim + c] *= weight;
  }
  context_.collective.sum(all.sum);
  context_.collective.sum(all.out);
  return all;
}

RowStatistics SampleCheck::own_statistics(HeadGroup group, std::span<const TokenRange> ranges) const {
  const auto rows_per_head = static_cast<std::size_t>(count_of(context_.tokens));
  const std::vector<TokenBlock> blocks = blocks_of(context_.tokens, ranges);
  RowStatistics statistics(static_cast<std::size_t>(problem_.group()) * rows_per_head);
  on_threads(context_.options.threads, blocks.size(), [&](std::size_t b) {
    std::vector<float> dout(static_cast<std::size_t>(problem_.head_dim_v));
    for (int g = 0; g < problem_.group(); ++g) {
      const int head = group.kv_head * problem_.group() + g;
      for (std::int64_t i = 0; i < blocks[b].tokens.count; ++i) {
        const std::int64_t place = blocks[b].first_row + i;
        context_.inputs.row(Tensor::kDout, group.batch, blocks[b].tokens.at(i), head, dout);
        statistics.set(static_cast<std::size_t>(g) * rows_per_head + static_cast<std::size_t>(place),
                       read_row(context_.results.lse, group.batch, place, head)[0],
                       read_row(context_.results.out, group.batch, place, head), dout);
      }
    }
  });
  return statistics;
}

std::vector<TokenRange> SampleCheck::queries_of(const std::vector<std::int64_t>& keys) const {
  std::vector<TokenRange> ranges;
  for (const std::int64_t key : keys) ranges.push_back(problem_.queries_of(key));
  return ranges;
}

GroupResults SampleCheck::compute(const SingleDevice& device, const GroupRows& rows, const RowStatistics& own) const {
  GroupResults results;
  results.forward =
      finish(device, context_.inputs, rows.queries, merged(device.attend(rows.group, rows.queries, share_of_keys_)));
  if (!context_.backward()) return results;
  const RowStatistics statistics = statistics_of(device, context_.inputs, rows.group, rows.queries, results.forward);
  results.queries = device.query_gradients(rows.group, rows.queries, statistics, share_of_keys_);
  results.keys = device.key_gradients(rows.group, rows.keys, own, context_.tokens);
  for (auto* sums :
       {&results.queries.dq, &results.queries.spread2, &results.keys.dk, &results.keys.dv, &results.keys.spread2}) {
    context_.collective.sum(*sums);
  }
  round_gradients(device, results);
  return results;
}

void SampleCheck::check_sinks(const std::set<int>& kv_heads, ErrorAccumulator& errors) const {
  const std::array<TokenRange, 1> everything = {{{0, problem_.seq_len}}};
  SinkCheck sinks(context_);
  for (std::int64_t batch = 0; batch < problem_.batch; ++batch) {
    for (const int kv_head : kv_heads) {
      const RowStatistics own = own_statistics({batch, kv_head}, everything);
      sinks.add({batch, kv_head}, own, own);
    }
  }
  sinks.compare({kv_heads.begin(), kv_heads.end()}, errors);
}

ValidationReport SampleCheck::run(std::int64_t rows) {
  require_all_tokens();
  const auto low_precision = make_low_precision(context_.inputs, context_.options.threads);
  ErrorAccumulator errors(problem_, context_.reference.epsilon());
  std::set<int> kv_heads;
  std::size_t checked = 0;
  for (const GroupSample& sample :
       choose_sample(context_.inputs, rows, context_.tokens, context_.options.workers, context_.collective)) {
    const GroupRows sampled = rows_of(sample);
    const RowStatistics own =
        context_.backward() ? own_statistics(sample.group, queries_of(sample.tokens)) : RowStatistics();
    compare_group(context_, sampled, compute(context_.reference, sampled, own), compute(*low_precision, sampled, own),
                  errors);
    kv_heads.insert(sample.group.kv_head);
    checked += sample.tokens.size();
  }
  if (problem_.sink && context_.backward()) check_sinks(kv_heads, errors);
  return errors.report(fmt::format("{}-sample:{}", context_.reference.name(), checked), context_.collective);
}

}  // namespace

ValidationReport check_sample(const CheckContext& context, std::int64_t rows) { return SampleCheck(context).run(rows); }

}  // namespace cpbench
