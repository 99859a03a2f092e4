// The kernels for Ampere and later, by head size and storage type.
#include "backend/cuda/implementation.hpp"
#include "backend/cuda/launch.hpp"
#include "backend/cuda/sm80/backward.hpp"
#include "backend/cuda/sm80/forward.hpp"

namespace cpbench {
namespace sm80 {
namespace {

constexpr int kForwardColumns = 64;
constexpr int forward_rows(int dim) { return dim <= 64 ? 128 : 64; }
constexpr int backward_rows(int dim) { return dim <= 128 ? 64 : 32; }
/// Of a block on the smallest devices (8.6, 8.9 and 12.0); 8.0 and Hopper have more.
constexpr int kMostSharedBytes = 99 << 10;

BlockShape forward_shape(int dim, int dim_v, bool) {
  return with_head_sizes(dim, dim_v, [&]<int kDim, int kDimV>() -> BlockShape {
    return {forward_rows(kDim), kForwardColumns};
  });
}

BlockShape backward_shape(int dim, int dim_v) {
  return with_head_sizes(dim, dim_v, [&]<int kDim, int kDimV>() -> BlockShape {
    return {backward_rows(kDim), backward_rows(kDim)};
  });
}

void launch_forward(const ForwardParameters& p, const LaunchContext& context) {
  with_half_type(context.dtype, [&]<typename T>(T) {
    with_head_sizes(p.dim, p.dim_v, [&]<int kDim, int kDimV>() {
      constexpr int kRows = forward_rows(kDim);
      using Kernel = Forward<T, kDim, kDimV, kRows, kForwardColumns>;
      static_assert(Kernel::kSharedBytes <= kMostSharedBytes);
      launch<forward<T, kDim, kDimV, kRows, kForwardColumns>>(p.order.items(), kForwardThreads, Kernel::kSharedBytes,
                                                              context.stream, p);
    });
  });
}

template <typename T, int kDim, int kDimV, Gradients kWanted>
void launch_backward(const BackwardParameters& p, const LaunchContext& context) {
  constexpr int kRows = backward_rows(kDim);
  using Kernel = Backward<T, kDim, kDimV, kRows, kWanted>;
  static_assert(Kernel::kSharedBytes <= kMostSharedBytes);
  launch<backward<T, kDim, kDimV, kRows, kWanted>>(p.order.items(), Kernel::kThreads, Kernel::kSharedBytes,
                                                   context.stream, p);
}

void launch_backward(const BackwardParameters& p, const LaunchContext& context) {
  with_half_type(context.dtype, [&]<typename T>(T) {
    with_head_sizes(p.dim, p.dim_v, [&]<int kDim, int kDimV>() {
      if constexpr (kDim > 192) {
        launch_backward<T, kDim, kDimV, Gradients::kQueryAndKey>(p, context);
        launch_backward<T, kDim, kDimV, Gradients::kValue>(p, context);
      } else {
        launch_backward<T, kDim, kDimV, Gradients::kAll>(p, context);
      }
    });
  });
}

}  // namespace
}  // namespace sm80

const Implementation kSm80Kernels = {"sm80", sm80::forward_shape, sm80::backward_shape, sm80::launch_forward,
                                     sm80::launch_backward};

}  // namespace cpbench
