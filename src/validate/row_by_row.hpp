// The one implementation of SingleDevice, for any arithmetic: blocks of keys (or queries) against one row at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "validate/rows.hpp"
#include "validate/single_device.hpp"

namespace cpbench {

/// A part of a list of tokens that is one progression: rows [first_row, first_row + tokens.count) of the list.
struct TokenBlock {
  Segment tokens;
  std::int64_t first_row;
};
inline constexpr std::int64_t kBlockRows = 256;
std::vector<TokenBlock> blocks_of(const Tokens& tokens);
/// Which tokens of a block lie in `range`, as indices into the block. May be empty.
TokenRange indices_within(const Segment& block, TokenRange range);

/// Arithmetic has `Real`, what sums are made in, and `Real store(Real)`, what rounding to the storage type leaves.
/// As on any device, probabilities and score gradients are rounded to the storage type before they are multiplied.
template <typename Arithmetic>
class RowByRow : public SingleDevice {
 public:
  using Real = typename Arithmetic::Real;

  RowByRow(const Inputs& inputs, int threads) : inputs_(inputs), problem_(inputs.problem()), threads_(threads) {}

  SoftmaxRows attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const override;
  QueryGradients query_gradients(HeadGroup group, std::span<const QueryRow> rows, const RowStatistics& statistics,
                                 const Tokens& keys) const override;
  KeyGradients key_gradients(HeadGroup group, std::span<const std::int64_t> keys, const RowStatistics& statistics,
                             const Tokens& queries) const override;
  double to_storage(double value) const override { return Arithmetic::store(static_cast<Real>(value)); }
  double to_statistic(double value) const override { return static_cast<Real>(value); }

 private:
  /// Rows of an input in the precision of sums.
  struct Matrix {
    int dim;
    std::vector<Real> values;
    const Real* row(std::int64_t index) const { return values.data() + index * dim; }
    Real* row(std::int64_t index) { return values.data() + index * dim; }
  };
  using Scratch = std::array<Real, kBlockRows>;

  Matrix zeros(std::size_t rows, int dim) const {
    return {dim, std::vector<Real>(rows * static_cast<std::size_t>(dim))};
  }
  void load(Matrix& matrix, std::int64_t index, Tensor tensor, std::int64_t batch, std::int64_t token, int head) const;
  Matrix load(Tensor tensor, std::int64_t batch, std::span<const QueryRow> rows) const;
  Matrix load(Tensor tensor, std::int64_t batch, const Segment& tokens, int head) const;

  static bool any_within(const Segment& block, std::span<const TokenRange> ranges) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](TokenRange range) { return indices_within(block, range).count() > 0; });
  }
  std::vector<TokenRange> keys_of(std::span<const QueryRow> rows) const;
  /// Expected square of a row of Q or K as it enters a gradient.
  double spread2_factor(Tensor tensor) const {
    const double row_norm = problem_.scale * inputs_.rms_of(tensor);
    return row_norm * row_norm * inputs_.dim_of(tensor);
  }
  static std::vector<double> scaled(const std::vector<Real>& values, double scale);

  const Inputs& inputs_;
  const Problem& problem_;
  int threads_;
};

template <typename Arithmetic>
void RowByRow<Arithmetic>::load(Matrix& matrix, std::int64_t index, Tensor tensor, std::int64_t batch,
                                std::int64_t token, int head) const {
  std::array<float, 256> values;  // the largest head_dim
  const std::span<float> row(values.data(), static_cast<std::size_t>(matrix.dim));
  inputs_.row(tensor, batch, token, head, row);
  std::copy(row.begin(), row.end(), matrix.row(index));
}

template <typename Arithmetic>
auto RowByRow<Arithmetic>::load(Tensor tensor, std::int64_t batch, std::span<const QueryRow> rows) const -> Matrix {
  Matrix matrix = zeros(rows.size(), inputs_.dim_of(tensor));
#pragma omp parallel for num_threads(threads_)
  for (std::size_t r = 0; r < rows.size(); ++r) {
    load(matrix, static_cast<std::int64_t>(r), tensor, batch, rows[r].token, rows[r].head);
  }
  return matrix;
}

template <typename Arithmetic>
auto RowByRow<Arithmetic>::load(Tensor tensor, std::int64_t batch, const Segment& tokens, int head) const -> Matrix {
  Matrix matrix = zeros(static_cast<std::size_t>(tokens.count), inputs_.dim_of(tensor));
#pragma omp parallel for num_threads(threads_)
  for (std::int64_t i = 0; i < tokens.count; ++i) load(matrix, i, tensor, batch, tokens.at(i), head);
  return matrix;
}

template <typename Arithmetic>
std::vector<TokenRange> RowByRow<Arithmetic>::keys_of(std::span<const QueryRow> rows) const {
  std::vector<TokenRange> ranges;
  for (const QueryRow& row : rows) ranges.push_back(problem_.keys_of(row.token));
  return ranges;
}

template <typename Arithmetic>
std::vector<double> RowByRow<Arithmetic>::scaled(const std::vector<Real>& values, double scale) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const Real value : values) result.push_back(scale * value);
  return result;
}

template <typename Arithmetic>
SoftmaxRows RowByRow<Arithmetic>::attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const {
  const Matrix q = load(Tensor::kQ, group.batch, rows);
  const std::vector<TokenRange> ranges = keys_of(rows);
  const auto scale = static_cast<Real>(problem_.scale);
  std::vector<Real> max(rows.size(), -std::numeric_limits<Real>::infinity()), sum(rows.size());
  Matrix out = zeros(rows.size(), problem_.head_dim_v);
  for (const TokenBlock& block : blocks_of(keys)) {
    if (!any_within(block.tokens, ranges)) continue;
    const Matrix k = load(Tensor::kK, group.batch, block.tokens, group.kv_head);
    const Matrix v = load(Tensor::kV, group.batch, block.tokens, group.kv_head);
#pragma omp parallel for num_threads(threads_) schedule(dynamic)
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const TokenRange seen = indices_within(block.tokens, ranges[r]);
      if (seen.count() <= 0) continue;
      const auto row = static_cast<std::int64_t>(r);
      Scratch scratch;
      const std::span<Real> p(scratch.data(), static_cast<std::size_t>(seen.count()));
      dot_rows(q.row(row), k.row(seen.begin), seen.count(), k.dim, p.data());
      const Real old_max = max[r];
      for (Real& logit : p) {
        logit *= scale;
        max[r] = std::max(max[r], logit);
      }
      const Real kept = std::exp(old_max - max[r]);
      sum[r] *= kept;
      for (Real& logit : p) {
        const Real probability = std::exp(logit - max[r]);
        sum[r] += probability;
        logit = Arithmetic::store(probability);
      }
      for (int c = 0; c < out.dim; ++c) out.row(row)[c] *= kept;
      add_rows(p.data(), v.row(seen.begin), seen.count(), v.dim, out.row(row));
    }
  }
  return {scaled(max, 1), scaled(sum, 1), scaled(out.values, 1)};
}

template <typename Arithmetic>
QueryGradients RowByRow<Arithmetic>::query_gradients(HeadGroup group, std::span<const QueryRow> rows,
                                                     const RowStatistics& statistics, const Tokens& keys) const {
  const Matrix q = load(Tensor::kQ, group.batch, rows), dout = load(Tensor::kDout, group.batch, rows);
  const std::vector<TokenRange> ranges = keys_of(rows);
  const auto scale = static_cast<Real>(problem_.scale);
  Matrix dq = zeros(rows.size(), problem_.head_dim);
  std::vector<Real> squares(rows.size());
  for (const TokenBlock& block : blocks_of(keys)) {
    if (!any_within(block.tokens, ranges)) continue;
    const Matrix k = load(Tensor::kK, group.batch, block.tokens, group.kv_head);
    const Matrix v = load(Tensor::kV, group.batch, block.tokens, group.kv_head);
#pragma omp parallel for num_threads(threads_) schedule(dynamic)
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const TokenRange seen = indices_within(block.tokens, ranges[r]);
      if (seen.count() <= 0) continue;
      const auto row = static_cast<std::int64_t>(r);
      const auto lse = static_cast<Real>(statistics.lse[r]), delta = static_cast<Real>(statistics.delta[r]);
      Scratch logits, gradients;
      dot_rows(q.row(row), k.row(seen.begin), seen.count(), k.dim, logits.data());
      dot_rows(dout.row(row), v.row(seen.begin), seen.count(), v.dim, gradients.data());
      for (std::size_t j = 0; j < static_cast<std::size_t>(seen.count()); ++j) {
        const Real probability = std::exp(scale * logits[j] - lse);
        squares[r] += probability * probability;
        gradients[j] = Arithmetic::store(probability * (gradients[j] - delta));
      }
      add_rows(gradients.data(), k.row(seen.begin), seen.count(), k.dim, dq.row(row));
    }
  }
  QueryGradients result{scaled(dq.values, problem_.scale), scaled(squares, spread2_factor(Tensor::kK))};
  for (std::size_t r = 0; r < rows.size(); ++r) result.spread2[r] *= statistics.spread[r] * statistics.spread[r];
  return result;
}

template <typename Arithmetic>
KeyGradients RowByRow<Arithmetic>::key_gradients(HeadGroup group, std::span<const std::int64_t> keys,
                                                 const RowStatistics& statistics, const Tokens& queries) const {
  std::vector<QueryRow> key_rows;
  std::vector<TokenRange> ranges;
  for (const std::int64_t key : keys) {
    key_rows.push_back({key, group.kv_head});
    ranges.push_back(problem_.queries_of(key));
  }
  const Matrix k = load(Tensor::kK, group.batch, key_rows), v = load(Tensor::kV, group.batch, key_rows);
  const auto scale = static_cast<Real>(problem_.scale);
  const std::int64_t rows_per_head = count_of(queries);
  Matrix dk = zeros(keys.size(), problem_.head_dim), dv = zeros(keys.size(), problem_.head_dim_v);
  std::vector<Real> squares(keys.size());
  for (const TokenBlock& block : blocks_of(queries)) {
    if (!any_within(block.tokens, ranges)) continue;
    for (int g = 0; g < problem_.group(); ++g) {
      const int head = group.kv_head * problem_.group() + g;
      const Matrix q = load(Tensor::kQ, group.batch, block.tokens, head);
      const Matrix dout = load(Tensor::kDout, group.batch, block.tokens, head);
#pragma omp parallel for num_threads(threads_) schedule(dynamic)
      for (std::size_t j = 0; j < keys.size(); ++j) {
        const TokenRange seen = indices_within(block.tokens, ranges[j]);
        if (seen.count() <= 0) continue;
        const auto key = static_cast<std::int64_t>(j);
        const auto first = static_cast<std::size_t>(g * rows_per_head + block.first_row + seen.begin);
        Scratch probabilities, gradients;
        dot_rows(k.row(key), q.row(seen.begin), seen.count(), q.dim, probabilities.data());
        dot_rows(v.row(key), dout.row(seen.begin), seen.count(), dout.dim, gradients.data());
        for (std::size_t i = 0; i < static_cast<std::size_t>(seen.count()); ++i) {
          const auto lse = static_cast<Real>(statistics.lse[first + i]);
          const auto delta = static_cast<Real>(statistics.delta[first + i]);
          const auto spread = static_cast<Real>(statistics.spread[first + i]);
          const Real probability = std::exp(scale * probabilities[i] - lse);
          squares[j] += probability * probability * spread * spread;
          gradients[i] = Arithmetic::store(probability * (gradients[i] - delta));
          probabilities[i] = Arithmetic::store(probability);
        }
        add_rows(gradients.data(), q.row(seen.begin), seen.count(), q.dim, dk.row(key));
        add_rows(probabilities.data(), dout.row(seen.begin), seen.count(), dout.dim, dv.row(key));
      }
    }
  }
  return {scaled(dk.values, problem_.scale), scaled(dv.values, 1), scaled(squares, spread2_factor(Tensor::kQ))};
}

}  // namespace cpbench
