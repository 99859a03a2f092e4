#include "backend/support/attention_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "backend/support/host_program.hpp"

namespace cpbench::test {
namespace {

Problem problem_of(const AttentionCase& c) {
  Problem problem;
  problem.batch = c.batch;
  problem.heads = c.kv_heads * c.group;  // only the group matters: buffers have their own head counts
  problem.kv_heads = c.kv_heads;
  problem.head_dim = c.dim;
  problem.head_dim_v = c.dim_v;
  problem.dtype = c.dtype;
  problem.layout = c.layout;
  problem.sink = c.sink;
  problem.scale = c.scale != 0 ? c.scale : 1 / std::sqrt(static_cast<double>(c.dim));
  return problem;
}

std::vector<std::vector<Tile>> deal(const std::vector<Tile>& tiles, int calls) {
  std::vector<std::vector<Tile>> hands(static_cast<std::size_t>(calls));
  for (std::size_t i = 0; i < tiles.size(); ++i) hands[i % hands.size()].push_back(tiles[i]);
  return hands;
}

/// The program of a case: its buffers, and a forward and a backward pass over them.
class CaseProgram {
 public:
  CaseProgram(const AttentionCase& c, const std::string& kernel)
      : c_(c), host_(problem_of(c), kernel, c.threads), random_(std::mt19937_64(c.name.size() + 17)) {
    q_ = host_.add({Role::kQ, c.dtype, c.heads, c.dim, 0, c.q_rows});
    kv_ = host_.add({Role::kKv, c.dtype, c.kv_heads, c.dim, c.dim_v, c.k_rows + c.spare_k_rows});
    dout_ = host_.add({Role::kDout, c.dtype, c.heads, c.dim_v, 0, c.q_rows});
    state_ = host_.add({Role::kState, DType::kFp32, c.heads, c.dim_v + 2, 0, c.q_rows});
    out_ = host_.add({Role::kOut, c.dtype, c.heads, c.dim_v, 0, c.q_rows});
    lse_ = host_.add({Role::kLse, DType::kFp32, c.heads, 1, 0, c.q_rows});
    delta_ = host_.add({Role::kDelta, DType::kFp32, c.heads, 1, 0, c.q_rows});
    dq_ = host_.add({Role::kDq, c.gradient_dtype, c.heads, c.dim, 0, c.q_rows});
    dkv_ = host_.add({Role::kDkv, c.gradient_dtype, c.kv_heads, c.dim, c.dim_v, c.k_rows + c.spare_dk_rows});
    sink_heads_ = c.map.q_global + c.map.count;
    if (c.sink) sink_ = host_.add({Role::kSink, DType::kFp32, sink_heads_, 1, 0, 1});
    fill_normal(host_.view(q_).first, c.magnitude, random_);
    const BufferView reached = reached_keys(kv_);
    fill_normal(reached.first, c.magnitude, random_);
    fill_normal(reached.second, 1, random_);
    fill_normal(host_.view(dout_).first, 1, random_);
    if (c.sink) fill_normal(host_.view(sink_).first, 4, random_);
  }

  AttentionInputs inputs() const {
    AttentionInputs in{read(host_.view(q_).first),
                       read(keys(kv_).first),
                       read(keys(kv_).second),
                       read(host_.view(dout_).first),
                       {},
                       c_.map,
                       c_.group,
                       problem_of(c_).scale,
                       c_.tiles};
    if (c_.sink) {
      const float* values = host_.view(sink_).first.at<const float>(0, 0, 0);
      in.sink.assign(values, values + sink_heads_);
    }
    return in;
  }

  void forward(AttentionResults& results) {
    const auto hands = deal(c_.tiles, c_.calls);
    for (std::size_t i = 0; i < hands.size(); ++i) {
      host_.run(
          Attend{q_, kv_, state_, out_, lse_, sink_, c_.map, i == 0, i + 1 == hands.size(), host_.add_tiles(hands[i])});
    }
    results.out = read(host_.view(out_).first);
    results.lse = read(host_.view(lse_).first);
  }

  void backward(const AttentionResults& saved, const AttentionInputs& in, AttentionResults& results) {
    write(saved.lse, host_.view(lse_).first);
    write(delta_of(saved.out, in.dout), host_.view(delta_).first);
    const auto hands = deal(c_.tiles, c_.calls);
    for (std::size_t i = 0; i < hands.size(); ++i) {
      host_.run(
          AttendBackward{q_, kv_, dout_, lse_, delta_, dq_, dkv_, c_.map, i == 0, i == 0, host_.add_tiles(hands[i])});
    }
    results.dq = read(host_.view(dq_).first);
    results.dk = read(keys(dkv_).first);
    results.dv = read(keys(dkv_).second);
  }

 private:
  /// The rows of the case of K and V or their gradients; the spare ones keep the NaN that they are made of.
  BufferView keys(BufferId id) const {
    const BufferView view = host_.view(id);
    return {view.first.box(0, c_.k_rows, 0, c_.kv_heads), view.second.box(0, c_.k_rows, 0, c_.kv_heads)};
  }

  /// From the first key that a tile reaches to the last. Those before and behind keep the NaN that they are made of.
  BufferView reached_keys(BufferId id) const {
    const auto [begin, end] = key_span(c_.tiles);
    const BufferView view = host_.view(id);
    return {view.first.box(begin, end - begin, 0, c_.kv_heads), view.second.box(begin, end - begin, 0, c_.kv_heads)};
  }

  const AttentionCase& c_;
  HostProgram host_;
  std::mt19937_64 random_;
  BufferId q_, kv_, dout_, state_, out_, lse_, delta_, dq_, dkv_, sink_ = kNoBuffer;
  int sink_heads_ = 0;
};

/// Heads that the map does not name must not be touched: they still hold the NaN they were made of. Checks that, and
/// puts the truth's zeros there.
void expect_untouched(const HeadMap& map, Dense& tensor, const char* name) {
  for (std::int64_t b = 0; b < tensor.batch; ++b) {
    for (std::int64_t row = 0; row < tensor.rows; ++row) {
      for (std::int64_t head = 0; head < tensor.heads; ++head) {
        if (head >= map.q_begin && head < map.q_begin + map.count) continue;
        for (std::int64_t i = 0; i < tensor.dim; ++i) {
          double& value = tensor.at(b, row, head)[i];
          EXPECT_TRUE(std::isnan(value)) << name << " of head " << head << " was written";
          value = 0;
        }
      }
    }
  }
}

void expect_tensor_close(const char* name, const Dense& measured, const Dense& truth, const Dense& straightforward,
                         DType storage, int roundings) {
  constexpr double kFactor = 4;  // sums in another order err by about as much, the maximum scatters
  // Inputs are of order 1, and so is what cancels where a result is small: `straightforward` may be exact by luck.
  const double fp32_floor = 8 * epsilon_of(DType::kFp32) * (1 + max_abs(truth));
  const double tolerance = kFactor * max_difference(straightforward, truth) + fp32_floor +
                           roundings * 0.5 * epsilon_of(storage) * max_abs(truth);
  EXPECT_LE(max_difference(measured, truth), tolerance) << name;
}

}  // namespace

AttentionOutcome run_case(const AttentionCase& c, const std::string& kernel) {
  CaseProgram program(c, kernel);
  const AttentionInputs in = program.inputs();
  AttentionOutcome outcome;
  outcome.truth = attend_by_definition<double>(in, DType::kFp32);
  outcome.straightforward = attend_by_definition<float>(in, c.dtype, &outcome.truth);
  program.forward(outcome.measured);
  program.backward(outcome.truth, in, outcome.measured);
  expect_untouched(c.map, outcome.measured.out, "out");
  expect_untouched(c.map, outcome.measured.dq, "dq");
  expect_untouched(c.map, outcome.measured.lse, "lse");
  return outcome;
}

void expect_close(const AttentionCase& c, const AttentionOutcome& outcome) {
  const AttentionResults &measured = outcome.measured, &truth = outcome.truth, &plain = outcome.straightforward;
  expect_tensor_close("out", measured.out, truth.out, plain.out, c.dtype, 1);
  expect_tensor_close("lse", measured.lse, truth.lse, plain.lse, DType::kFp32, 1);
  expect_tensor_close("dq", measured.dq, truth.dq, plain.dq, c.gradient_dtype, c.calls);
  expect_tensor_close("dk", measured.dk, truth.dk, plain.dk, c.gradient_dtype, c.calls);
  expect_tensor_close("dv", measured.dv, truth.dv, plain.dv, c.gradient_dtype, c.calls);
}

}  // namespace cpbench::test
