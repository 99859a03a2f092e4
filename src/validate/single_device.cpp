#include "validate/single_device.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cpbench {
namespace {

void append(std::vector<double>& to, const std::vector<double>& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

void append(SoftmaxRows& to, const SoftmaxRows& from) {
  append(to.max, from.max);
  append(to.sum, from.sum);
  append(to.out, from.out);
}

void append(QueryGradients& to, const QueryGradients& from) {
  append(to.dq, from.dq);
  append(to.spread2, from.spread2);
}

void append(KeyGradients& to, const KeyGradients& from) {
  append(to.dk, from.dk);
  append(to.dv, from.dv);
  append(to.spread2, from.spread2);
}

double spread2_factor(const Inputs& inputs, Tensor tensor) {
  const double row_norm = inputs.problem().scale * inputs.rms_of(tensor);
  return row_norm * row_norm * inputs.dim_of(tensor);
}

ForwardRows finish(const SingleDevice& device, const Inputs& inputs, std::span<const QueryRow> rows,
                   const SoftmaxRows& softmax) {
  const auto dim = static_cast<std::size_t>(inputs.problem().head_dim_v);
  ForwardRows forward;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double sink = inputs.problem().sink ? inputs.sink(rows[r].head) : -std::numeric_limits<double>::infinity();
    const double max = std::max(softmax.max[r], sink);
    // A row without keys and sink has lse -inf and out 0; exp(-inf - -inf) would make NaN of both.
    const double kept = softmax.max[r] == max ? 1 : std::exp(softmax.max[r] - max);
    const double sum = softmax.sum[r] * kept + (std::isinf(sink) ? 0 : std::exp(sink - max));
    forward.lse.push_back(device.to_statistic(max + std::log(sum)));
    for (std::size_t c = 0; c < dim; ++c) {
      forward.out.push_back(sum == 0 ? 0 : device.to_storage(softmax.out[r * dim + c] * kept / sum));
    }
  }
  return forward;
}

void RowStatistics::set(std::size_t row, double row_lse, std::span<const double> out, std::span<const float> dout) {
  double sum = 0, squares = 0;
  for (std::size_t c = 0; c < out.size(); ++c) {
    const double term = out[c] * dout[c];
    sum += term;
    squares += term * term;
  }
  lse[row] = row_lse;
  delta[row] = sum;
  spread[row] = std::sqrt(squares);
}

RowStatistics statistics_of(const SingleDevice& device, const Inputs& inputs, HeadGroup group,
                            std::span<const QueryRow> rows, const ForwardRows& forward) {
  RowStatistics statistics(rows.size());
  std::vector<float> dout(static_cast<std::size_t>(inputs.problem().head_dim_v));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    inputs.row(Tensor::kDout, group.batch, rows[r].token, rows[r].head, dout);
    statistics.set(r, forward.lse[r], std::span(forward.out).subspan(r * dout.size(), dout.size()), dout);
    statistics.delta[r] = device.to_statistic(statistics.delta[r]);
  }
  return statistics;
}

SinkGradientPart sink_gradient(double sink, const RowStatistics& statistics, std::size_t begin, std::size_t count) {
  SinkGradientPart part;
  for (std::size_t r = begin; r < begin + count; ++r) {
    const double probability = std::exp(sink - statistics.lse[r]);
    part.sum -= probability * statistics.delta[r];
    part.spread2 += probability * probability * statistics.spread[r] * statistics.spread[r];
  }
  return part;
}

}  // namespace cpbench
