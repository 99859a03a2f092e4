#include "validate/job.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "validate/host_reference.hpp"
#include "validate/in_process_collective.hpp"

namespace cpbench {
namespace {

/// Copies rows [row] of a head group's tensor to their places in [batch, token, head, channel].
class Scatter {
 public:
  Scatter(const Problem& problem, int heads, int dim, std::vector<double>& to)
      : problem_(problem), heads_(heads), dim_(dim), to_(to) {
    to.resize(static_cast<std::size_t>(problem.batch * problem.seq_len * heads * dim));
  }
  void operator()(std::int64_t batch, const QueryRow& row, const std::vector<double>& from, std::size_t index) {
    const std::int64_t place = ((batch * problem_.seq_len + row.token) * heads_ + row.head) * dim_;
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(index) * dim_, dim_, to_.begin() + place);
  }

 private:
  const Problem& problem_;
  int heads_, dim_;
  std::vector<double>& to_;
};

void round_all(const SingleDevice& device, std::vector<double>& values) {
  for (double& value : values) value = device.to_storage(value);
}

}  // namespace

Results compute(const SingleDevice& device, const Inputs& inputs) {
  const Problem& p = inputs.problem();
  const Tokens everything = {{0, p.seq_len, 1}};
  std::vector<std::int64_t> keys(static_cast<std::size_t>(p.seq_len));
  std::iota(keys.begin(), keys.end(), 0);
  Results results;
  Scatter out(p, p.heads, p.head_dim_v, results.out), lse(p, p.heads, 1, results.lse);
  Scatter dq(p, p.heads, p.head_dim, results.dq), dk(p, p.kv_heads, p.head_dim, results.dk);
  Scatter dv(p, p.kv_heads, p.head_dim_v, results.dv);
  results.dsink.resize(static_cast<std::size_t>(p.heads));
  for (std::int64_t b = 0; b < p.batch; ++b) {
    for (int kv_head = 0; kv_head < p.kv_heads; ++kv_head) {
      const HeadGroup group{b, kv_head};
      std::vector<QueryRow> rows;
      for (int head = kv_head * p.group(); head < (kv_head + 1) * p.group(); ++head) {
        for (const std::int64_t token : keys) rows.push_back({token, head});
      }
      const ForwardRows forward = finish(device, inputs, rows, device.attend(group, rows, everything));
      const RowStatistics statistics = statistics_of(device, inputs, group, rows, forward);
      const QueryGradients queries = device.query_gradients(group, rows, statistics, everything);
      const KeyGradients gradients = device.key_gradients(group, keys, statistics, everything);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        out(b, rows[r], forward.out, r);
        lse(b, rows[r], forward.lse, r);
        dq(b, rows[r], queries.dq, r);
      }
      for (std::size_t j = 0; j < keys.size(); ++j) {
        dk(b, {keys[j], kv_head}, gradients.dk, j);
        dv(b, {keys[j], kv_head}, gradients.dv, j);
      }
      for (int head = kv_head * p.group(); head < (kv_head + 1) * p.group(); ++head) {
        const std::size_t begin = static_cast<std::size_t>(head - kv_head * p.group()) * keys.size();
        results.dsink[static_cast<std::size_t>(head)] +=
            sink_gradient(inputs.sink(head), statistics, begin, keys.size()).sum;
      }
    }
  }
  for (auto* gradient : {&results.dq, &results.dk, &results.dv}) round_all(device, *gradient);
  return results;
}

RankResults::RankResults(const Inputs& inputs, const Results& results, const Tokens& tokens)
    : dsink_(results.dsink.begin(), results.dsink.end()) {
  const Problem& p = inputs.problem();
  local_.out = store(p, Role::kOut, p.dtype, p.heads, p.head_dim_v, results.out, tokens);
  local_.lse = store(p, Role::kLse, DType::kFp32, p.heads, 1, results.lse, tokens);
  local_.dq = store(p, Role::kDq, p.dtype, p.heads, p.head_dim, results.dq, tokens);
  local_.dk = store(p, Role::kDkv, p.dtype, p.kv_heads, p.head_dim, results.dk, tokens);
  local_.dv = store(p, Role::kDkv, p.dtype, p.kv_heads, p.head_dim_v, results.dv, tokens);
  local_.dsink = dsink_.data();
}

TensorView RankResults::store(const Problem& problem, Role role, DType dtype, int heads, int dim,
                              const std::vector<double>& values, const Tokens& tokens) {
  const std::vector<std::int64_t> rows = expand(tokens);
  const Buffer buffer{role, dtype, heads, dim, 0, static_cast<std::int64_t>(rows.size())};
  memory_.emplace_back(static_cast<std::size_t>(buffer.bytes(problem.batch)));
  const TensorView view = view_of(buffer, problem.layout, problem.batch, memory_.back().data()).first;
  with_type(dtype, [&](auto type) {
    for (std::int64_t b = 0; b < problem.batch; ++b) {
      for (std::size_t row = 0; row < rows.size(); ++row) {
        for (int head = 0; head < heads; ++head) {
          const double* from =
              &values[static_cast<std::size_t>(((b * problem.seq_len + rows[row]) * heads + head) * dim)];
          auto* to = view.at<decltype(type)>(b, static_cast<std::int64_t>(row), head);
          for (int c = 0; c < dim; ++c) to[c] = from_float<decltype(type)>(static_cast<float>(from[c]));
        }
      }
    }
  });
  return view;
}

std::vector<Tokens> contiguous_shards(std::int64_t seq_len, int ranks) {
  std::vector<Tokens> shards(static_cast<std::size_t>(ranks));
  for (std::int64_t r = 0; r < ranks; ++r) {
    const std::int64_t begin = seq_len * r / ranks, end = seq_len * (r + 1) / ranks;
    append(shards[static_cast<std::size_t>(r)], {begin, end - begin, 1});
  }
  return shards;
}

std::vector<Tokens> zigzag_shards(std::int64_t seq_len, int ranks) {
  const std::vector<Tokens> chunks = contiguous_shards(seq_len, 2 * ranks);
  std::vector<Tokens> shards(chunks.begin(), chunks.begin() + ranks);
  for (std::size_t r = 0; r < shards.size(); ++r) {
    for (const Segment& segment : chunks[chunks.size() - 1 - r]) append(shards[r], segment);
  }
  return shards;
}

std::vector<Tokens> striped_shards(std::int64_t seq_len, int ranks) {
  std::vector<Tokens> shards(static_cast<std::size_t>(ranks));
  for (std::int64_t r = 0; r < ranks; ++r) {
    append(shards[static_cast<std::size_t>(r)], {r, (seq_len - r + ranks - 1) / ranks, ranks});
  }
  return shards;
}

ValidationReport check_job(const Inputs& inputs, const Results& results, const std::vector<Tokens>& shards,
                           const CheckOptions& options, const std::function<void(int, LocalResults&)>& plant) {
  std::vector<ValidationReport> reports(shards.size());
  run_ranks(static_cast<int>(shards.size()), [&](Collective& collective) {
    const auto rank = static_cast<std::size_t>(collective.rank());
    RankResults rank_results(inputs, results, shards[rank]);
    plant(collective.rank(), rank_results.local());
    reports[rank] = check_results(inputs, *make_reference(inputs, options.threads), options, shards[rank],
                                  rank_results.local(), collective);
  });
  for (const ValidationReport& report : reports) {
    EXPECT_EQ(report.reference, reports[0].reference);
    EXPECT_EQ(report.reason(), reports[0].reason());
  }
  return reports[0];
}

const TensorReport& tensor_of(const ValidationReport& report, std::string_view name) {
  const auto found = std::find_if(report.tensors.begin(), report.tensors.end(),
                                  [&](const TensorReport& tensor) { return tensor.tensor == name; });
  if (found == report.tensors.end()) throw std::logic_error("no report on " + std::string(name));
  return *found;
}

}  // namespace cpbench
