// The virtual GPU's cuBLAS: every way in which a product can be stored, and what it must not do unseen.
#include <cublas_v2.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "vgpu/support/device_array.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

struct Handle {
  Handle() { cublasCreate(&handle); }
  ~Handle() { cublasDestroy(handle); }
  cublasHandle_t handle = nullptr;
};

std::size_t index(int stride, int row, int column) {
  return static_cast<std::size_t>(column) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(row);
}

std::vector<float> numbers(std::size_t count, float first) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + 0.25f * static_cast<float>(i % 7);
  return values;
}

TEST(Cublas, HonoursTransposesStridesAlphaAndBeta) {
  constexpr int kM = 3, kN = 5, kK = 4, kA = 6, kB = 7, kC = 4;  // strides are longer than columns
  const Handle cublas;
  for (const auto op_a : {CUBLAS_OP_N, CUBLAS_OP_T}) {
    for (const auto op_b : {CUBLAS_OP_N, CUBLAS_OP_T}) {
      const std::vector<float> a = numbers(std::size_t{kA} * (op_a == CUBLAS_OP_N ? kK : kM), 0.5f),
                               b = numbers(std::size_t{kB} * (op_b == CUBLAS_OP_N ? kN : kK), -1.0f),
                               before = numbers(std::size_t{kC} * kN, 2.0f);
      const DeviceArray<float> device_a(a), device_b(b), device_c(before);
      const float alpha = 2, beta = -0.5;
      ASSERT_EQ(cublasSgemm(cublas.handle, op_a, op_b, kM, kN, kK, &alpha, device_a.data(), kA, device_b.data(), kB,
                            &beta, device_c.data(), kC),
                CUBLAS_STATUS_SUCCESS);
      const std::vector<float> c = device_c.values();
      for (int row = 0; row < kC; ++row) {
        for (int column = 0; column < kN; ++column) {
          float expected = before[index(kC, row, column)];
          if (row < kM) {
            float sum = 0;
            for (int i = 0; i < kK; ++i) {
              sum += a[op_a == CUBLAS_OP_N ? index(kA, row, i) : index(kA, i, row)] *
                     b[op_b == CUBLAS_OP_N ? index(kB, i, column) : index(kB, column, i)];
            }
            expected = alpha * sum + beta * expected;
          }
          EXPECT_FLOAT_EQ(c[index(kC, row, column)], expected) << row << " " << column;
        }
      }
    }
  }
}

/// c = a · b + beta * c of one element each.
void multiply_one(const Handle& cublas, const DeviceArray<float>& a, const DeviceArray<float>& b, float beta,
                  const DeviceArray<float>& c) {
  const float alpha = 1;
  cublasSgemm(cublas.handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a.data(), 1, b.data(), 1, &beta, c.data(), 1);
}

TEST(Cublas, ReadsWhatItAddsTo) {
  const Handle cublas;
  const DeviceArray<float> a(std::vector<float>{3}), b(std::vector<float>{4});
  expect_planted_fault({{FaultKind::kUninitialised}}, [&](bool planted) {
    const DeviceArray<float> c(std::size_t{1});
    multiply_one(cublas, a, b, planted ? 1.0f : 0.0f, c);
    EXPECT_EQ(c.values()[0], 12);
  });
}

TEST(Cublas, RoundsFactorsWhereItsMathModeAllowsThat) {
  const Handle cublas;
  const float fine = 1 + 0x1p-20f;
  const DeviceArray<float> a(std::vector<float>{fine}), b(std::vector<float>{1}), c(std::vector<float>{0});
  const auto product = [&](cublasMath_t mode) {
    EXPECT_EQ(cublasSetMathMode(cublas.handle, mode), CUBLAS_STATUS_SUCCESS);
    multiply_one(cublas, a, b, 0, c);
    return c.values()[0];
  };
  EXPECT_EQ(product(CUBLAS_PEDANTIC_MATH), fine);
  EXPECT_EQ(product(CUBLAS_TF32_TENSOR_OP_MATH), 1);
  EXPECT_EQ(product(CUBLAS_TENSOR_OP_MATH), 1);
  EXPECT_EQ(product(CUBLAS_DEFAULT_MATH), fine);
}

TEST(Cublas, IsQueuedOnItsStream) {
  const Handle cublas;
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  const DeviceArray<float> a(std::vector<float>{3}), b(std::vector<float>{4});
  expect_planted_fault({{FaultKind::kMissingEvent}, {FaultKind::kUninitialised}}, [&](bool planted) {
    const DeviceArray<float> c(std::size_t{1}), d(std::size_t{1});
    cublasSetStream(cublas.handle, stream);
    multiply_one(cublas, a, b, 0, c);
    if (planted) cublasSetStream(cublas.handle, nullptr);
    multiply_one(cublas, a, c, 0, d);
    cudaDeviceSynchronize();
    EXPECT_EQ(d.values()[0], 36);
  });
  cublasSetStream(cublas.handle, nullptr);
  cudaStreamDestroy(stream);
}

TEST(Cublas, RefusesMemoryOfTheHost) {
  const Handle cublas;
  const DeviceArray<float> device(std::vector<float>{3});
  float host = 4;
  const float one = 1;
  EXPECT_EQ(cublasSgemm(cublas.handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, device.data(), 1, &host, 1, &one,
                        device.data(), 1),
            CUBLAS_STATUS_INVALID_VALUE);
}

}  // namespace
}  // namespace cpbench::vgpu
