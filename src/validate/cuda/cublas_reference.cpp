#include "validate/cuda/cublas_reference.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "validate/cuda/cublas.hpp"
#include "validate/cuda/device_matrix.hpp"
#include "validate/cuda/score_gradients.hpp"
#include "validate/cuda/softmax.hpp"
#include "validate/device_reference.hpp"
#include "validate/token_block.hpp"

namespace cpbench {
namespace {

using cuda::ColumnRange;
using cuda::DeviceArray;
using cuda::DeviceMatrix;
using cuda::Queries;

/// Queries and keys have two tensors each: Q and K make the logits, dout and V the gradients of probabilities; and what
/// is wanted are sums of them.
struct Operands {
  Tensor logit, value;
};
constexpr Operands kOfQueries{Tensor::kQ, Tensor::kDout}, kOfKeys{Tensor::kK, Tensor::kV};

struct OperandMatrices {
  OperandMatrices(std::int64_t rows, const Problem& problem)
      : logit(rows * problem.head_dim), value(rows * problem.head_dim_v) {}
  DeviceMatrix logit, value;
};

/// What a block of rows against a block of columns needs on the device. Rows are queries and columns keys, or the other
/// way round for the gradients of keys.
struct Workspace {
  Workspace(const Problem& problem, int ordinal, std::int64_t row_count, std::int64_t column_count)
      : device(made_current(ordinal)),
        rows(row_count, problem),
        columns(column_count, problem),
        sums(row_count, problem),
        logits(row_count * column_count),
        products(row_count * column_count),
        seen(row_count),
        max(row_count),
        sum(row_count),
        squares(row_count),
        lse(std::max(row_count, column_count)),
        delta(std::max(row_count, column_count)),
        spread(std::max(row_count, column_count)) {}

  int device;  ///< current before anything is made on it
  cuda::Cublas blas;
  OperandMatrices rows, columns;
  OperandMatrices sums;             ///< by row, of what the scores weigh
  DeviceMatrix logits, products;    ///< [rows, columns]
  DeviceArray<ColumnRange> seen;    ///< by row
  DeviceMatrix max, sum, squares;   ///< by row
  DeviceMatrix lse, delta, spread;  ///< by query
};

class CublasReference : public SingleDevice {
 public:
  CublasReference(const Inputs& inputs, const CublasOptions& options)
      : inputs_(inputs),
        problem_(inputs.problem()),
        options_(options),
        device_(std::make_unique<Workspace>(
            problem_, options.device, std::min<std::int64_t>(options.block_rows, problem_.seq_len * problem_.group()),
            std::min<std::int64_t>(options.block_columns, problem_.seq_len))) {}

  std::string name() const override { return "cublas"; }
  double epsilon() const override { return std::numeric_limits<float>::epsilon(); }
  SoftmaxRows attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const override;
  QueryGradients query_gradients(HeadGroup group, std::span<const QueryRow> rows, const RowStatistics& statistics,
                                 const Tokens& keys) const override;
  KeyGradients key_gradients(HeadGroup group, std::span<const std::int64_t> keys, const RowStatistics& statistics,
                             const Tokens& queries) const override;
  double to_storage(double value) const override { return value; }
  double to_statistic(double value) const override { return value; }

 private:
  SoftmaxRows attend_block(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const;
  QueryGradients query_block(HeadGroup group, std::span<const QueryRow> rows, const RowStatistics& statistics,
                             std::size_t first_statistic, const Tokens& keys) const;
  KeyGradients key_block(HeadGroup group, std::span<const QueryRow> rows, const RowStatistics& statistics,
                         const Tokens& queries) const;

  template <typename Compute>
  auto in_blocks(std::span<const QueryRow> rows, Compute compute) const;
  std::vector<TokenRange> keys_of(std::span<const QueryRow> rows) const;
  std::vector<TokenBlock> columns_of(const Tokens& tokens, std::span<const TokenRange> ranges) const {
    return blocks_of(tokens, ranges, options_.block_columns);
  }
  void load(DeviceMatrix& matrix, Tensor tensor, std::int64_t batch, std::span<const QueryRow> rows) const;
  void load_columns(const Operands& operands, std::int64_t batch, const Segment& tokens, int head) const;
  void load_seen(const Segment& columns, std::span<const TokenRange> ranges) const;
  void load_statistics(const RowStatistics& statistics, std::size_t first, std::size_t count) const;
  void make_logits() const {
    device_->blas.multiply_transposed(static_cast<float>(problem_.scale), device_->rows.logit, device_->columns.logit,
                                      device_->logits);
  }
  /// Logits and products become probabilities and gradients of logits.
  void differentiate(Queries queries) const;

  const Inputs& inputs_;
  const Problem& problem_;
  CublasOptions options_;
  std::unique_ptr<Workspace> device_;
};

std::vector<TokenRange> CublasReference::keys_of(std::span<const QueryRow> rows) const {
  std::vector<TokenRange> ranges;
  for (const QueryRow& row : rows) ranges.push_back(problem_.keys_of(row.token));
  return ranges;
}

// --- Loading -------------------------------------------------------------------------------------------------------

template <typename Compute>
auto CublasReference::in_blocks(std::span<const QueryRow> rows, Compute compute) const {
  const auto most = static_cast<std::size_t>(options_.block_rows);
  decltype(compute(rows, most)) all;
  for (std::size_t first = 0; first < rows.size(); first += most) {
    append(all, compute(rows.subspan(first, std::min(most, rows.size() - first)), first));
  }
  return all;
}

void CublasReference::load(DeviceMatrix& matrix, Tensor tensor, std::int64_t batch,
                           std::span<const QueryRow> rows) const {
  const auto dim = static_cast<std::size_t>(inputs_.dim_of(tensor));
  std::vector<float> values(rows.size() * dim);
#pragma omp parallel for num_threads(options_.threads)
  for (std::size_t r = 0; r < rows.size(); ++r) {
    inputs_.row(tensor, batch, rows[r].token, rows[r].head, std::span(values).subspan(r * dim, dim));
  }
  matrix.write(values, static_cast<int>(dim));
}

void CublasReference::load_columns(const Operands& operands, std::int64_t batch, const Segment& tokens,
                                   int head) const {
  std::vector<QueryRow> rows;
  for (std::int64_t i = 0; i < tokens.count; ++i) rows.push_back({tokens.at(i), head});
  load(device_->columns.logit, operands.logit, batch, rows);
  load(device_->columns.value, operands.value, batch, rows);
}

void CublasReference::load_seen(const Segment& columns, std::span<const TokenRange> ranges) const {
  std::vector<ColumnRange> seen;
  for (const TokenRange& range : ranges) {
    const TokenRange indices = indices_within(columns, range);
    seen.push_back({static_cast<std::int32_t>(indices.begin), static_cast<std::int32_t>(indices.end)});
  }
  device_->seen.write(seen);
}

void CublasReference::load_statistics(const RowStatistics& statistics, std::size_t first, std::size_t count) const {
  const auto write = [&](DeviceMatrix& matrix, const std::vector<double>& values) {
    const auto part = std::span(values).subspan(first, count);
    matrix.write(std::vector<float>(part.begin(), part.end()), 1);
  };
  write(device_->lse, statistics.lse);
  write(device_->delta, statistics.delta);
  write(device_->spread, statistics.spread);
}

// --- Forward -------------------------------------------------------------------------------------------------------

SoftmaxRows CublasReference::attend_block(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const {
  Workspace& device = *device_;
  const int count = static_cast<int>(rows.size());
  load(device.rows.logit, kOfQueries.logit, group.batch, rows);
  device.max.fill(count, 1, -std::numeric_limits<float>::infinity());
  device.sum.fill(count, 1, 0);
  device.sums.value.fill(count, problem_.head_dim_v, 0);
  const std::vector<TokenRange> ranges = keys_of(rows);
  for (const TokenBlock& block : columns_of(keys, ranges)) {
    load_columns(kOfKeys, group.batch, block.tokens, group.kv_head);
    load_seen(block.tokens, ranges);
    make_logits();
    cuda::add_logits(device.logits, device.seen.data(), {device.max, device.sum, device.sums.value});
    device.blas.add_product(device.logits, device.columns.value, device.sums.value);
  }
  return {device.max.read(), device.sum.read(), device.sums.value.read()};
}

SoftmaxRows CublasReference::attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const {
  return in_blocks(
      rows, [&](std::span<const QueryRow> block, std::size_t /*first*/) { return attend_block(group, block, keys); });
}

// --- Backward ------------------------------------------------------------------------------------------------------

void CublasReference::differentiate(Queries queries) const {
  Workspace& device = *device_;
  make_logits();
  device.blas.multiply_transposed(1, device.rows.value, device.columns.value, device.products);
  cuda::differentiate(device.logits, device.products, device.seen.data(), queries,
                      {device.lse, device.delta, device.spread}, device.squares);
}

QueryGradients CublasReference::query_block(HeadGroup group, std::span<const QueryRow> rows,
                                            const RowStatistics& statistics, std::size_t first_statistic,
                                            const Tokens& keys) const {
  Workspace& device = *device_;
  const int count = static_cast<int>(rows.size());
  load(device.rows.logit, kOfQueries.logit, group.batch, rows);
  load(device.rows.value, kOfQueries.value, group.batch, rows);
  load_statistics(statistics, first_statistic, rows.size());
  device.sums.logit.fill(count, problem_.head_dim, 0);
  device.squares.fill(count, 1, 0);
  const std::vector<TokenRange> ranges = keys_of(rows);
  for (const TokenBlock& block : columns_of(keys, ranges)) {
    load_columns(kOfKeys, group.batch, block.tokens, group.kv_head);
    load_seen(block.tokens, ranges);
    differentiate(Queries::kRows);
    device.blas.add_product(device.products, device.columns.logit, device.sums.logit);
  }
  return {device.sums.logit.read(problem_.scale), device.squares.read(spread2_factor(inputs_, Tensor::kK))};
}

QueryGradients CublasReference::query_gradients(HeadGroup group, std::span<const QueryRow> rows,
                                                const RowStatistics& statistics, const Tokens& keys) const {
  return in_blocks(rows, [&](std::span<const QueryRow> block, std::size_t first) {
    return query_block(group, block, statistics, first, keys);
  });
}

KeyGradients CublasReference::key_block(HeadGroup group, std::span<const QueryRow> rows,
                                        const RowStatistics& statistics, const Tokens& queries) const {
  Workspace& device = *device_;
  const int count = static_cast<int>(rows.size());
  load(device.rows.logit, kOfKeys.logit, group.batch, rows);
  load(device.rows.value, kOfKeys.value, group.batch, rows);
  device.sums.logit.fill(count, problem_.head_dim, 0);
  device.sums.value.fill(count, problem_.head_dim_v, 0);
  device.squares.fill(count, 1, 0);
  std::vector<TokenRange> ranges;
  for (const QueryRow& row : rows) ranges.push_back(problem_.queries_of(row.token));
  const std::int64_t rows_per_head = count_of(queries);
  for (const TokenBlock& block : columns_of(queries, ranges)) {
    load_seen(block.tokens, ranges);
    for (int g = 0; g < problem_.group(); ++g) {
      load_columns(kOfQueries, group.batch, block.tokens, group.kv_head * problem_.group() + g);
      load_statistics(statistics, static_cast<std::size_t>(g * rows_per_head + block.first_row),
                      static_cast<std::size_t>(block.tokens.count));
      differentiate(Queries::kColumns);
      device.blas.add_product(device.products, device.columns.logit, device.sums.logit);
      device.blas.add_product(device.logits, device.columns.value, device.sums.value);
    }
  }
  return {device.sums.logit.read(problem_.scale), device.sums.value.read(),
          device.squares.read(spread2_factor(inputs_, Tensor::kQ))};
}

KeyGradients CublasReference::key_gradients(HeadGroup group, std::span<const std::int64_t> keys,
                                            const RowStatistics& statistics, const Tokens& queries) const {
  std::vector<QueryRow> rows;
  for (const std::int64_t key : keys) rows.push_back({key, group.kv_head});
  return in_blocks(rows, [&](std::span<const QueryRow> block, std::size_t /*first*/) {
    return key_block(group, block, statistics, queries);
  });
}

const RegisterDeviceReference kRegistered({.platform = "cuda",
                                           .make = [](const Inputs& inputs, int device, int threads) {
                                             return make_cublas_reference(inputs,
                                                                          {.device = device, .threads = threads});
                                           }});

}  // namespace

std::unique_ptr<SingleDevice> make_cublas_reference(const Inputs& inputs, const CublasOptions& options) {
  return std::make_unique<CublasReference>(inputs, options);
}

}  // namespace cpbench
