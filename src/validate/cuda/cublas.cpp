#include "validate/cuda/cublas.hpp"

#include <cublas_v2.h>

#include "support/error.hpp"

namespace cpbench::cuda {
namespace {

void check_cublas(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw Error(ExitCode::kDevice, fmt::format("{}: {}", call, cublasGetStatusString(status)));
}

}  // namespace

Cublas::Cublas() {
  check_cublas(cublasCreate(&handle_), "cublasCreate");
  check_cublas(cublasSetMathMode(handle_, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
}

Cublas::~Cublas() {
  if (handle_ != nullptr) cublasDestroy(handle_);
}

// cuBLAS stores columns one after the other: it takes a matrix of ours for its transpose, and makes cᵀ.

void Cublas::multiply_transposed(float scale, DeviceMatrix& a, DeviceMatrix& b, DeviceMatrix& c) const {
  c.resize(a.rows(), b.rows());
  const float nothing = 0;
  check_cublas(cublasSgemm(handle_, CUBLAS_OP_T, CUBLAS_OP_N, b.rows(), a.rows(), a.columns(), &scale, b.data(),
                           b.columns(), a.data(), a.columns(), &nothing, c.data(), c.columns()),
               "cublasSgemm");
}

void Cublas::add_product(DeviceMatrix& a, DeviceMatrix& b, DeviceMatrix& c) const {
  const float once = 1;
  check_cublas(cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, b.columns(), a.rows(), a.columns(), &once, b.data(),
                           b.columns(), a.data(), a.columns(), &once, c.data(), c.columns()),
               "cublasSgemm");
}

}  // namespace cpbench::cuda
