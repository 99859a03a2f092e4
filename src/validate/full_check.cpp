// The full check: every rank computes what it should hold, one head group after the other.
#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "validate/group_results.hpp"
#include "validate/host_reference.hpp"

namespace cpbench {
namespace {

class FullCheck {
 public:
  explicit FullCheck(const CheckContext& context)
      : context_(context),
        problem_(context.inputs.problem()),
        everything_{{0, problem_.seq_len, 1}},
        tokens_of_rank_(context.collective.allgatherv(expand(context.tokens))) {
    require_partition();
  }

  ValidationReport run();

 private:
  /// What a device finds for the rank's rows, and the statistics of its queries.
  struct Found {
    GroupResults results;
    RowStatistics statistics;
  };

  void require_partition() const;
  GroupRows rows_of(HeadGroup group) const;
  Found compute(const SingleDevice& device, const GroupRows& rows) const;
  RowStatistics gather(const RowStatistics& own) const;
  std::vector<double> gather(const std::vector<double>& own) const;

  const CheckContext& context_;
  const Problem& problem_;
  const Tokens everything_;
  const std::vector<std::vector<std::int64_t>> tokens_of_rank_;
};

void FullCheck::require_partition() const {
  std::vector<int> holders(static_cast<std::size_t>(problem_.seq_len));
  for (const auto& tokens : tokens_of_rank_) {
    for (const std::int64_t token : tokens) ++holders.at(static_cast<std::size_t>(token));
  }
  if (std::any_of(holders.begin(), holders.end(), [](int count) { return count != 1; })) {
    throw std::logic_error("the ranks' tokens are not a partition of the sequence");
  }
}

GroupRows FullCheck::rows_of(HeadGroup group) const {
  GroupRows rows{.group = group, .queries = own_queries(context_, group), .keys = expand(context_.tokens)};
  rows.key_places.resize(rows.keys.size());
  std::iota(rows.key_places.begin(), rows.key_places.end(), 0);
  for (int g = 0; g < problem_.group(); ++g) {
    rows.query_places.insert(rows.query_places.end(), rows.key_places.begin(), rows.key_places.end());
  }
  return rows;
}

FullCheck::Found FullCheck::compute(const SingleDevice& device, const GroupRows& rows) const {
  Found found;
  GroupResults& results = found.results;
  results.forward = finish(device, context_.inputs, rows.queries, device.attend(rows.group, rows.queries, everything_));
  if (!context_.backward()) return found;
  found.statistics = statistics_of(device, context_.inputs, rows.group, rows.queries, results.forward);
  results.queries = device.query_gradients(rows.group, rows.queries, found.statistics, everything_);
  results.keys = device.key_gradients(rows.group, rows.keys, gather(found.statistics), everything_);
  round_gradients(device, results);
  return found;
}

RowStatistics FullCheck::gather(const RowStatistics& own) const {
  RowStatistics all;
  all.lse = gather(own.lse);
  all.delta = gather(own.delta);
  all.spread = gather(own.spread);
  return all;
}

/// [group][own tokens] of all ranks as [group][seq_len].
std::vector<double> FullCheck::gather(const std::vector<double>& own) const {
  const auto length = static_cast<std::size_t>(problem_.seq_len);
  std::vector<double> all(static_cast<std::size_t>(problem_.group()) * length);
  const auto parts = context_.collective.allgatherv(own);
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    const std::vector<std::int64_t>& tokens = tokens_of_rank_[rank];
    for (std::size_t i = 0; i < parts[rank].size(); ++i) {
      all[i / tokens.size() * length + static_cast<std::size_t>(tokens[i % tokens.size()])] = parts[rank][i];
    }
  }
  return all;
}

ValidationReport FullCheck::run() {
  const auto low_precision = make_low_precision(context_.inputs, context_.options.threads);
  ErrorAccumulator errors(problem_, context_.reference.epsilon());
  SinkCheck sinks(context_);
  std::vector<int> kv_heads(static_cast<std::size_t>(problem_.kv_heads));
  std::iota(kv_heads.begin(), kv_heads.end(), 0);
  const bool with_sinks = problem_.sink && context_.backward();
  for (std::int64_t batch = 0; batch < problem_.batch; ++batch) {
    for (const int kv_head : kv_heads) {
      const GroupRows rows = rows_of({batch, kv_head});
      const Found exact = compute(context_.reference, rows), low = compute(*low_precision, rows);
      compare_group(context_, rows, exact.results, low.results, errors);
      if (with_sinks) sinks.add(rows.group, exact.statistics, low.statistics);
    }
  }
  if (with_sinks) sinks.compare(kv_heads, errors);
  return errors.report(context_.reference.name() + "-full", context_.collective);
}

}  // namespace

ValidationReport check_full(const CheckContext& context) { return FullCheck(context).run(); }

}  // namespace cpbench
