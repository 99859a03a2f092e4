#include "validate/row_products.hpp"

#include "validate/multiversion.hpp"

namespace cpbench {
namespace {

// Four rows at a time, so that one load of the vector serves four multiply-adds. Always inlined: the callers are what
// is compiled for several instruction sets.

template <typename Real>
[[gnu::always_inline]] inline void dot_rows_inline(const Real* vector, const Real* rows, std::int64_t count, int dim,
                                                   Real* products) {
  std::int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const Real *row0 = rows + j * dim, *row1 = row0 + dim, *row2 = row1 + dim, *row3 = row2 + dim;
    Real sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
    for (int c = 0; c < dim; ++c) {
      sum0 += vector[c] * row0[c];
      sum1 += vector[c] * row1[c];
      sum2 += vector[c] * row2[c];
      sum3 += vector[c] * row3[c];
    }
    products[j] = sum0;
    products[j + 1] = sum1;
    products[j + 2] = sum2;
    products[j + 3] = sum3;
  }
  for (; j < count; ++j) {
    Real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int c = 0; c < dim; ++c) sum += vector[c] * rows[j * dim + c];
    products[j] = sum;
  }
}

template <typename Real>
[[gnu::always_inline]] inline void add_rows_inline(const Real* weights, const Real* rows, std::int64_t count, int dim,
                                                   Real* vector) {
  std::int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const Real *row0 = rows + j * dim, *row1 = row0 + dim, *row2 = row1 + dim, *row3 = row2 + dim;
    const Real weight0 = weights[j], weight1 = weights[j + 1], weight2 = weights[j + 2], weight3 = weights[j + 3];
#pragma omp simd
    for (int c = 0; c < dim; ++c) {
      vector[c] += (weight0 * row0[c] + weight1 * row1[c]) + (weight2 * row2[c] + weight3 * row3[c]);
    }
  }
  for (; j < count; ++j) {
#pragma omp simd
    for (int c = 0; c < dim; ++c) vector[c] += weights[j] * rows[j * dim + c];
  }
}

}  // namespace

CPBENCH_MULTIVERSION void dot_rows(const double* vector, const double* rows, std::int64_t count, int dim,
                                   double* products) {
  dot_rows_inline(vector, rows, count, dim, products);
}

CPBENCH_MULTIVERSION void dot_rows(const float* vector, const float* rows, std::int64_t count, int dim,
                                   float* products) {
  dot_rows_inline(vector, rows, count, dim, products);
}

CPBENCH_MULTIVERSION void add_rows(const double* weights, const double* rows, std::int64_t count, int dim,
                                   double* vector) {
  add_rows_inline(weights, rows, count, dim, vector);
}

CPBENCH_MULTIVERSION void add_rows(const float* weights, const float* rows, std::int64_t count, int dim,
                                   float* vector) {
  add_rows_inline(weights, rows, count, dim, vector);
}

}  // namespace cpbench
