// cuBLAS: a product is an operation of the handle's stream.
#include <cublas_v2.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/arena.hpp"
#include "runtime/engine.hpp"
#include "runtime/whole_access.hpp"

struct cublasContext {  // NOLINT(readability-identifier-naming): cuBLAS's name
  cudaStream_t stream = nullptr;
  cublasMath_t mode = CUBLAS_DEFAULT_MATH;
};

namespace cpbench::vgpu {
namespace {

/// Columns of `rows` elements, `stride` elements from one to the next.
struct Matrix {
  float* data;
  int rows, columns, stride;

  float* column(int index) const { return data + std::ptrdiff_t{index} * stride; }
};

void read_columns(const Matrix& m) {
  for (int c = 0; c < m.columns; ++c) note_read(m.column(c), sizeof(float) * static_cast<std::size_t>(m.rows));
}
void write_columns(const Matrix& m) {
  for (int c = 0; c < m.columns; ++c) note_write(m.column(c), sizeof(float) * static_cast<std::size_t>(m.rows));
}

/// Whether cuBLAS may take factors in fp32 for shorter numbers: TF32, or with CUBLAS_TENSOR_OP_MATH fp16.
bool may_round(cublasMath_t mode) { return mode == CUBLAS_TF32_TENSOR_OP_MATH || mode == CUBLAS_TENSOR_OP_MATH; }

/// To the 10 bits after the point that TF32 and fp16 have.
float rounded(float value) {
  constexpr std::uint32_t kLost = 13;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (!std::isfinite(value)) return value;
  const std::uint32_t odd = bits >> kLost & 1;
  return std::bit_cast<float>((bits + (1u << (kLost - 1)) - 1 + odd) >> kLost << kLost);
}

/// A factor, transposed or not.
struct Factor {
  Matrix matrix;
  bool transposed, is_rounded;

  float at(int row, int column) const {
    const float value = transposed ? matrix.column(row)[column] : matrix.column(column)[row];
    return is_rounded ? rounded(value) : value;
  }
};

class Product : public Action {
 public:
  Product(float alpha, const Factor& a, const Factor& b, float beta, const Matrix& c)
      : alpha_(alpha), beta_(beta), a_(a), b_(b), c_(c) {}

  /// Sums in fp32, of factors that are rounded where they may be. Where beta is 0, c is not read.
  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    read_columns(a_.matrix);
    read_columns(b_.matrix);
    if (beta_ != 0) read_columns(c_);
    write_columns(c_);
    const int depth = b_.transposed ? b_.matrix.columns : b_.matrix.rows;
    std::vector<float> sums(static_cast<std::size_t>(c_.rows));
    for (int column = 0; column < c_.columns; ++column) {
      std::ranges::fill(sums, 0.0f);
      for (int i = 0; i < depth; ++i) {
        const float factor = b_.at(i, column);
        for (int row = 0; row < c_.rows; ++row) sums[static_cast<std::size_t>(row)] += a_.at(row, i) * factor;
      }
      float* const result = c_.column(column);
      for (int row = 0; row < c_.rows; ++row) {
        const float kept = beta_ == 0 ? 0.0f : beta_ * result[row];
        result[row] = alpha_ * sums[static_cast<std::size_t>(row)] + kept;
      }
    }
  }
  std::string describe() const override {
    return fmt::format("a product of {} x {} elements by cuBLAS", c_.rows, c_.columns);
  }

 private:
  float alpha_, beta_;
  Factor a_, b_;
  Matrix c_;
};

bool is_allowed(const Matrix& m) {
  return m.rows >= 0 && m.columns >= 0 && m.stride >= std::max(1, m.rows) &&
         kGlobalMemory.contains(reinterpret_cast<std::uintptr_t>(m.data));
}

/// What is stored of a factor [rows, columns].
Factor factor(const float* data, cublasOperation_t operation, int rows, int columns, int stride, cublasMath_t mode) {
  const bool transposed = operation == CUBLAS_OP_T;
  return {{const_cast<float*>(data), transposed ? columns : rows, transposed ? rows : columns, stride},
          transposed,
          may_round(mode)};
}

}  // namespace
}  // namespace cpbench::vgpu

using namespace cpbench::vgpu;

const char* cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "no error" : "an invalid value";
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  engine().finish_all();
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  if (mode < CUBLAS_DEFAULT_MATH || mode > CUBLAS_TF32_TENSOR_OP_MATH) return CUBLAS_STATUS_INVALID_VALUE;
  handle->mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                           const float* alpha, const float* a, int lda, const float* b, int ldb, const float* beta,
                           float* c, int ldc) {
  const Factor left = factor(a, op_a, m, k, lda, handle->mode), right = factor(b, op_b, k, n, ldb, handle->mode);
  const Matrix result{c, m, n, ldc};
  if (!is_allowed(left.matrix) || !is_allowed(right.matrix) || !is_allowed(result)) return CUBLAS_STATUS_INVALID_VALUE;
  engine().enqueue(engine().find(handle->stream), std::make_shared<Product>(*alpha, left, right, *beta, result));
  return CUBLAS_STATUS_SUCCESS;
}
