#include "validate/brute_force.hpp"

#include <cmath>
#include <numeric>

namespace cpbench {
namespace {

std::vector<double> all_rows(const Inputs& inputs, Tensor tensor) {
  const Problem& problem = inputs.problem();
  std::vector<double> values;
  std::vector<float> row(static_cast<std::size_t>(inputs.dim_of(tensor)));
  for (std::int64_t b = 0; b < problem.batch; ++b) {
    for (std::int64_t token = 0; token < problem.seq_len; ++token) {
      for (int head = 0; head < inputs.heads_of(tensor); ++head) {
        inputs.row(tensor, b, token, head, row);
        values.insert(values.end(), row.begin(), row.end());
      }
    }
  }
  return values;
}

}  // namespace

Values values_of(const Inputs& inputs) {
  Values values{all_rows(inputs, Tensor::kQ),
                all_rows(inputs, Tensor::kK),
                all_rows(inputs, Tensor::kV),
                all_rows(inputs, Tensor::kDout),
                {}};
  for (int head = 0; head < inputs.problem().heads; ++head) values.sink.push_back(inputs.sink(head));
  return values;
}

BruteForce attend_by_brute_force(const Problem& p, const Values& values) {
  BruteForce result;
  for (std::int64_t b = 0; b < p.batch; ++b) {
    for (std::int64_t i = 0; i < p.seq_len; ++i) {
      for (int h = 0; h < p.heads; ++h) {
        const auto kv_row = [&](std::int64_t j) { return (b * p.seq_len + j) * p.kv_heads + h * p.kv_heads / p.heads; };
        const double* q = &values.q[static_cast<std::size_t>(((b * p.seq_len + i) * p.heads + h) * p.head_dim)];
        double sum = p.sink ? std::exp(values.sink[static_cast<std::size_t>(h)]) : 0;
        std::vector<double> out(static_cast<std::size_t>(p.head_dim_v));
        for (std::int64_t j = 0; j < p.seq_len; ++j) {
          if (!p.allows(i, j)) continue;
          const double* k = &values.k[static_cast<std::size_t>(kv_row(j) * p.head_dim)];
          const double* v = &values.v[static_cast<std::size_t>(kv_row(j) * p.head_dim_v)];
          const double weight = std::exp(p.scale * std::inner_product(q, q + p.head_dim, k, 0.0));
          sum += weight;
          for (std::size_t c = 0; c < out.size(); ++c) out[c] += weight * v[c];
        }
        for (const double value : out) result.out.push_back(value / sum);
        result.lse.push_back(std::log(sum));
      }
    }
  }
  return result;
}

double loss(const Problem& problem, const Values& values) {
  const std::vector<double> out = attend_by_brute_force(problem, values).out;
  return std::inner_product(out.begin(), out.end(), values.dout.begin(), 0.0);
}

double finite_difference(const Problem& problem, Values& values, double& value) {
  constexpr double kStep = 1e-4;  // errors: step^2 from the curvature, 1e-16 / step from rounding
  const double original = value;
  value = original + kStep;
  const double above = loss(problem, values);
  value = original - kStep;
  const double below = loss(problem, values);
  value = original;
  return (above - below) / (2 * kStep);
}

}  // namespace cpbench
