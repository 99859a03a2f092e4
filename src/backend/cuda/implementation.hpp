// The families of attention kernels. attention.cpp chooses among them and is what a backend calls.
#pragma once

#include "backend/cuda/parameters.hpp"
#include "problem/dtype.hpp"

namespace cpbench {

/// Rows that a block keeps and columns of a step: what a work list is made with.
struct BlockShape {
  int rows, columns;
};

/// What a launch needs beside its parameters.
struct LaunchContext {
  DType dtype;
  cudaStream_t stream;
  int multiprocessors;
  std::int32_t* counter;  ///< one number of device memory that no other launch uses meanwhile
};

/// Kernels for every head size: dim and dim_v up to 256, multiples of 8.
struct Implementation {
  const char* name;
  BlockShape (*forward_shape)(int dim, int dim_v, bool full);  ///< full: no tile has a mask
  BlockShape (*backward_shape)(int dim, int dim_v);
  void (*forward)(const ForwardParameters& parameters, const LaunchContext& context);
  void (*backward)(const BackwardParameters& parameters, const LaunchContext& context);
};

extern const Implementation kFp32Kernels;  ///< fp32 inputs, any device
extern const Implementation kSm80Kernels;  ///< bf16 and fp16, compute capability 8.0 and later
extern const Implementation kSm90Kernels;  ///< bf16 and fp16, compute capability 9.0 alone

/// Calls visit.operator()<kDim, kDimV>() with the head sizes that kernels are built for and these fit in.
template <typename Visitor>
auto with_head_sizes(int dim, int dim_v, Visitor&& visit) {
  const int widest = dim > dim_v ? dim : dim_v;
  if (widest <= 64) return visit.template operator()<64, 64>();
  if (widest <= 128) return visit.template operator()<128, 128>();
  if (dim <= 192 && dim_v <= 128) return visit.template operator()<192, 128>();
  if (widest <= 192) return visit.template operator()<192, 192>();
  return visit.template operator()<256, 256>();
}

/// Calls visit with a bf16 or an fp16.
template <typename Visitor>
void with_half_type(DType dtype, Visitor&& visit) {
  if (dtype == DType::kBf16) {
    visit(bf16{});
  } else {
    visit(fp16{});
  }
}

}  // namespace cpbench
