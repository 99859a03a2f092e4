// The products that attention is made of, by cuBLAS, in fp32: no TF32, no emulation.
#pragma once

#include "validate/cuda/device_matrix.hpp"

struct cublasContext;

namespace cpbench::cuda {

/// Of the current device, queued on its default stream. Throws a device error (exit 4).
class Cublas {
 public:
  Cublas();
  ~Cublas();
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  /// c = scale * a · bᵀ, for a [m, k] and b [n, k]: c becomes [m, n].
  void multiply_transposed(float scale, DeviceMatrix& a, DeviceMatrix& b, DeviceMatrix& c) const;
  /// c += a · b, for a [m, k], b [k, n] and c [m, n].
  void add_product(DeviceMatrix& a, DeviceMatrix& b, DeviceMatrix& c) const;

 private:
  cublasContext* handle_ = nullptr;
};

}  // namespace cpbench::cuda
