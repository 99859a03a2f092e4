// SingleDevice on the host, for any arithmetic: blocks of keys (or queries) against one row at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "validate/on_threads.hpp"
#include "validate/row_products.hpp"
#include "validate/single_device.hpp"
#include "validate/token_block.hpp"

namespace cpbench {

/// Calls compute(first, n) for chunks of `count` rows on `threads` threads, and joins the results in order. Each chunk
/// regenerates the rows of its blocks, which costs a few percent for 256 rows, and the threads need no barrier.
template <typename Compute>
auto in_chunks(std::size_t count, int threads, Compute compute) {
  constexpr std::size_t kMostRows = 256;
  const std::size_t share = (count + static_cast<std::size_t>(threads) - 1) / static_cast<std::size_t>(threads);
  const std::size_t size = std::clamp<std::size_t>(share, 1, kMostRows), chunks = (count + size - 1) / size;
  std::vector<decltype(compute(count, count))> parts(chunks);
  on_threads(threads, chunks, [&](std::size_t i) { parts[i] = compute(i * size, std::min(size, count - i * size)); });
  decltype(compute(count, count)) whole;
  for (const auto& part : parts) append(whole, part);
  return whole;
}

/// Arithmetic has `Real`, what sums are made in, `Real store(Real)`, what rounding to the storage type leaves, and its
/// `kName`.
/// As on any device, probabilities and score gradients are rounded to the storage type before they are multiplied.
template <typename Arithmetic>
class RowByRow : public SingleDevice {
 public:
  using Real = typename Arithmetic::Real;

  RowByRow(const Inputs& inputs, int threads)
      : inputs_(inputs), problem_(inputs.problem()), scale_(static_cast<Real>(problem_.scale)), threads_(threads) {}

  std::string name() const override { return Arithmetic::kName; }
  double epsilon() const override { return std::numeric_limits<Real>::epsilon(); }
  SoftmaxRows attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const override;
  QueryGradients query_gradients(HeadGroup group, std::span<const QueryRow> rows, const RowStatistics& statistics,
                                 const Tokens& keys) const override;
  KeyGradients key_gradients(HeadGroup group, std::span<const std::int64_t> keys, const RowStatistics& statistics,
                             const Tokens& queries) const override;
  double to_storage(double value) const override { return Arithmetic::store(static_cast<Real>(value)); }
  double to_statistic(double value) const override { return static_cast<Real>(value); }

 private:
  /// Rows of a tensor, one after the other.
  struct Matrix {
    Matrix(std::size_t rows, int columns) : dim(columns), values(rows * static_cast<std::size_t>(columns)) {}
    const Real* row(std::size_t index) const { return values.data() + index * static_cast<std::size_t>(dim); }
    Real* row(std::size_t index) { return values.data() + index * static_cast<std::size_t>(dim); }
    int dim;
    std::vector<Real> values;
  };
  using Scratch = std::array<Real, kBlockRows>;

  Matrix zeros(std::size_t rows, Tensor like) const { return {rows, inputs_.dim_of(like)}; }
  void load_row(Matrix& matrix, std::size_t index, Tensor tensor, std::int64_t batch, QueryRow row) const;
  Matrix load(Tensor tensor, std::int64_t batch, std::span<const QueryRow> rows) const;
  void load(Matrix& matrix, Tensor tensor, std::int64_t batch, const Segment& tokens, int head) const;

  // Some rows, on one thread.
  SoftmaxRows attend_chunk(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const;
  QueryGradients query_chunk(HeadGroup group, std::span<const QueryRow> rows, const RowStatistics& statistics,
                             std::size_t first_statistic, const Tokens& keys) const;
  KeyGradients key_chunk(HeadGroup group, std::span<const std::int64_t> keys, const RowStatistics& statistics,
                         const Tokens& queries) const;

  // One row against the rows of a block that it attends, or that attend it.
  void attend_row(const Real* q, const Real* k, const Real* v, std::int64_t count, Real& max, Real& sum,
                  Real* out) const;
  void query_row(const Real* q, const Real* dout, const Real* k, const Real* v, std::int64_t count, double lse,
                 double delta, Real* dq, Real& squares) const;
  void key_row(const Real* k, const Real* v, const Real* q, const Real* dout, std::int64_t count,
               const RowStatistics& statistics, std::size_t first_statistic, Real* dk, Real* dv, Real& squares) const;

  std::vector<TokenRange> keys_of(std::span<const QueryRow> rows) const;
  /// Calls visit(r, k, v, count) block by block: the `count` rows from `k` and `v` on are those that query row r sees.
  template <typename Visit>
  void for_seen_keys(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys, Visit visit) const;
  static std::vector<double> scaled(const std::vector<Real>& values, double scale);

  const Inputs& inputs_;
  const Problem& problem_;
  Real scale_;
  int threads_;
};

// --- Loading -------------------------------------------------------------------------------------------------------

template <typename Arithmetic>
void RowByRow<Arithmetic>::load_row(Matrix& matrix, std::size_t index, Tensor tensor, std::int64_t batch,
                                    QueryRow row) const {
  std::array<float, 256> values;  // the largest head_dim
  const std::span<float> channels(values.data(), static_cast<std::size_t>(matrix.dim));
  inputs_.row(tensor, batch, row.token, row.head, channels);
  std::copy(channels.begin(), channels.end(), matrix.row(index));
}

template <typename Arithmetic>
auto RowByRow<Arithmetic>::load(Tensor tensor, std::int64_t batch, std::span<const QueryRow> rows) const -> Matrix {
  Matrix matrix = zeros(rows.size(), tensor);
  for (std::size_t r = 0; r < rows.size(); ++r) load_row(matrix, r, tensor, batch, rows[r]);
  return matrix;
}

template <typename Arithmetic>
void RowByRow<Arithmetic>::load(Matrix& matrix, Tensor tensor, std::int64_t batch, const Segment& tokens,
                                int head) const {
  for (std::int64_t i = 0; i < tokens.count; ++i) {
    load_row(matrix, static_cast<std::size_t>(i), tensor, batch, {tokens.at(i), head});
  }
}

template <typename Arithmetic>
std::vector<TokenRange> RowByRow<Arithmetic>::keys_of(std::span<const QueryRow> rows) const {
  std::vector<TokenRange> ranges;
  ranges.reserve(rows.size());
  for (const QueryRow& row : rows) ranges.push_back(problem_.keys_of(row.token));
  return ranges;
}

template <typename Arithmetic>
template <typename Visit>
void RowByRow<Arithmetic>::for_seen_keys(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys,
                                         Visit visit) const {
  const std::vector<TokenRange> ranges = keys_of(rows);
  Matrix k = zeros(kBlockRows, Tensor::kK), v = zeros(kBlockRows, Tensor::kV);
  for (const TokenBlock& block : blocks_of(keys, ranges)) {
    load(k, Tensor::kK, group.batch, block.tokens, group.kv_head);
    load(v, Tensor::kV, group.batch, block.tokens, group.kv_head);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const TokenRange seen = indices_within(block.tokens, ranges[r]);
      if (seen.count() <= 0) continue;
      const auto begin = static_cast<std::size_t>(seen.begin);
      visit(r, k.row(begin), v.row(begin), seen.count());
    }
  }
}

template <typename Arithmetic>
std::vector<double> RowByRow<Arithmetic>::scaled(const std::vector<Real>& values, double scale) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const Real value : values) result.push_back(scale * value);
  return result;
}

// --- Forward -------------------------------------------------------------------------------------------------------

template <typename Arithmetic>
void RowByRow<Arithmetic>::attend_row(const Real* q, const Real* k, const Real* v, std::int64_t count, Real& max,
                                      Real& sum, Real* out) const {
  Scratch scratch;
  const std::span<Real> p(scratch.data(), static_cast<std::size_t>(count));
  dot_rows(q, k, count, problem_.head_dim, p.data());
  const Real old_max = max;
  for (Real& logit : p) {
    logit *= scale_;
    max = std::max(max, logit);
  }
  const Real kept = std::exp(old_max - max);
  sum *= kept;
  for (int c = 0; c < problem_.head_dim_v; ++c) out[c] *= kept;
  for (Real& value : p) {
    const Real probability = std::exp(value - max);
    sum += probability;
    value = Arithmetic::store(probability);
  }
  add_rows(p.data(), v, count, problem_.head_dim_v, out);
}

template <typename Arithmetic>
SoftmaxRows RowByRow<Arithmetic>::attend_chunk(HeadGroup group, std::span<const QueryRow> rows,
                                               const Tokens& keys) const {
  const Matrix q = load(Tensor::kQ, group.batch, rows);
  std::vector<Real> max(rows.size(), -std::numeric_limits<Real>::infinity()), sum(rows.size());
  Matrix out = zeros(rows.size(), Tensor::kV);
  for_seen_keys(group, rows, keys, [&](std::size_t r, const Real* k, const Real* v, std::int64_t count) {
    attend_row(q.row(r), k, v, count, max[r], sum[r], out.row(r));
  });
  return {scaled(max, 1), scaled(sum, 1), scaled(out.values, 1)};
}

template <typename Arithmetic>
SoftmaxRows RowByRow<Arithmetic>::attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const {
  return in_chunks(rows.size(), threads_, [&](std::size_t first, std::size_t count) {
    return attend_chunk(group, rows.subspan(first, count), keys);
  });
}

// --- Backward ------------------------------------------------------------------------------------------------------

template <typename Arithmetic>
void RowByRow<Arithmetic>::query_row(const Real* q, const Real* dout, const Real* k, const Real* v, std::int64_t count,
                                     double lse, double delta, Real* dq, Real& squares) const {
  Scratch logits, gradients;
  dot_rows(q, k, count, problem_.head_dim, logits.data());
  dot_rows(dout, v, count, problem_.head_dim_v, gradients.data());
  for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j) {
    const Real probability = std::exp(scale_ * logits[j] - static_cast<Real>(lse));
    squares += probability * probability;
    gradients[j] = Arithmetic::store(probability * (gradients[j] - static_cast<Real>(delta)));
  }
  add_rows(gradients.data(), k, count, problem_.head_dim, dq);
}

template <typename Arithmetic>
QueryGradients RowByRow<Arithmetic>::query_chunk(HeadGroup group, std::span<const QueryRow> rows,
                                                 const RowStatistics& statistics, std::size_t first_statistic,
                                                 const Tokens& keys) const {
  const Matrix q = load(Tensor::kQ, group.batch, rows), dout = load(Tensor::kDout, group.batch, rows);
  Matrix dq = zeros(rows.size(), Tensor::kQ);
  std::vector<Real> squares(rows.size());
  for_seen_keys(group, rows, keys, [&](std::size_t r, const Real* k, const Real* v, std::int64_t count) {
    query_row(q.row(r), dout.row(r), k, v, count, statistics.lse[first_statistic + r],
              statistics.delta[first_statistic + r], dq.row(r), squares[r]);
  });
  QueryGradients result{scaled(dq.values, problem_.scale), scaled(squares, spread2_factor(inputs_, Tensor::kK))};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double spread = statistics.spread[first_statistic + r];
    result.spread2[r] *= spread * spread;
  }
  return result;
}

template <typename Arithmetic>
QueryGradients RowByRow<Arithmetic>::query_gradients(HeadGroup group, std::span<const QueryRow> rows,
                                                     const RowStatistics& statistics, const Tokens& keys) const {
  return in_chunks(rows.size(), threads_, [&](std::size_t first, std::size_t count) {
    return query_chunk(group, rows.subspan(first, count), statistics, first, keys);
  });
}

template <typename Arithmetic>
void RowByRow<Arithmetic>::key_row(const Real* k, const Real* v, const Real* q, const Real* dout, std::int64_t count,
                                   const RowStatistics& statistics, std::size_t first_statistic, Real* dk, Real* dv,
                                   Real& squares) const {
  Scratch probabilities, gradients;
  dot_rows(k, q, count, problem_.head_dim, probabilities.data());
  dot_rows(v, dout, count, problem_.head_dim_v, gradients.data());
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const Real probability =
        std::exp(scale_ * probabilities[i] - static_cast<Real>(statistics.lse[first_statistic + i]));
    const Real spread = probability * static_cast<Real>(statistics.spread[first_statistic + i]);
    squares += spread * spread;
    gradients[i] =
        Arithmetic::store(probability * (gradients[i] - static_cast<Real>(statistics.delta[first_statistic + i])));
    probabilities[i] = Arithmetic::store(probability);
  }
  add_rows(gradients.data(), q, count, problem_.head_dim, dk);
  add_rows(probabilities.data(), dout, count, problem_.head_dim_v, dv);
}

template <typename Arithmetic>
KeyGradients RowByRow<Arithmetic>::key_chunk(HeadGroup group, std::span<const std::int64_t> keys,
                                             const RowStatistics& statistics, const Tokens& queries) const {
  std::vector<QueryRow> rows;
  std::vector<TokenRange> ranges;
  for (const std::int64_t key : keys) {
    rows.push_back({key, group.kv_head});
    ranges.push_back(problem_.queries_of(key));
  }
  const Matrix k = load(Tensor::kK, group.batch, rows), v = load(Tensor::kV, group.batch, rows);
  Matrix dk = zeros(keys.size(), Tensor::kK), dv = zeros(keys.size(), Tensor::kV);
  std::vector<Real> squares(keys.size());
  Matrix q = zeros(kBlockRows, Tensor::kQ), dout = zeros(kBlockRows, Tensor::kDout);
  const std::int64_t rows_per_head = count_of(queries);
  for (const TokenBlock& block : blocks_of(queries, ranges)) {
    for (int g = 0; g < problem_.group(); ++g) {
      const int head = group.kv_head * problem_.group() + g;
      load(q, Tensor::kQ, group.batch, block.tokens, head);
      load(dout, Tensor::kDout, group.batch, block.tokens, head);
      for (std::size_t j = 0; j < keys.size(); ++j) {
        const TokenRange seen = indices_within(block.tokens, ranges[j]);
        if (seen.count() <= 0) continue;
        const auto begin = static_cast<std::size_t>(seen.begin);
        const auto first_statistic = static_cast<std::size_t>(g * rows_per_head + block.first_row + seen.begin);
        key_row(k.row(j), v.row(j), q.row(begin), dout.row(begin), seen.count(), statistics, first_statistic, dk.row(j),
                dv.row(j), squares[j]);
      }
    }
  }
  return {scaled(dk.values, problem_.scale), scaled(dv.values, 1),
          scaled(squares, spread2_factor(inputs_, Tensor::kQ))};
}

template <typename Arithmetic>
KeyGradients RowByRow<Arithmetic>::key_gradients(HeadGroup group, std::span<const std::int64_t> keys,
                                                 const RowStatistics& statistics, const Tokens& queries) const {
  return in_chunks(keys.size(), threads_, [&](std::size_t first, std::size_t count) {
    return key_chunk(group, keys.subspan(first, count), statistics, queries);
  });
}

}  // namespace cpbench
