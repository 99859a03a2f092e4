// The kernels for Hopper, by head size and storage type.
#include "backend/cuda/implementation.hpp"
#include "backend/cuda/launch.hpp"
#include "backend/cuda/sm90/backward.hpp"
#include "backend/cuda/sm90/forward.hpp"
#include "backend/cuda/sm90/maps.hpp"

namespace cpbench {
namespace sm90 {
namespace {

constexpr int kMostSharedBytes = 227 << 10;

/// Consumers and columns that fill the registers and the shared memory. Steps of 176 columns suit work without
/// masks: with them, more of a step would be wasted on the diagonal. They waste 3.1% of 4,096 keys and 1.0% of 16,384,
/// and 128 columns none; whether those would be faster there, with a third more steps, is to be measured on a GPU.
template <int kDim, int kDimV, bool kFull>
struct Forwards {
  static constexpr int kConsumers = kDim == 64 ? 3 : 2;
  static constexpr int kColumns = kDimV == 256 ? 80 : kDimV == 192 ? 96 : kDim == 128 && kFull ? 176 : 128;
  using Shape = ForwardShape<kDim, kDimV, kConsumers, kColumns>;
  static_assert(Shape::kSharedBytes <= kMostSharedBytes);
};

BlockShape forward_shape(int dim, int dim_v, bool full) {
  return with_head_sizes(dim, dim_v, [&]<int kDim, int kDimV>() -> BlockShape {
    using Masked = typename Forwards<kDim, kDimV, false>::Shape;
    using Full = typename Forwards<kDim, kDimV, true>::Shape;
    return {Masked::kRows, full ? Full::kColumns : Masked::kColumns};
  });
}

template <typename T, typename Shape>
void launch_forward(const ForwardParameters& p, const LaunchContext& context) {
  const auto map = [&](const DeviceTensor& tensor, int dim, int heads, int row_begin, int row_end, int box_rows) {
    return map_of(tensor, context.dtype, dim, heads, p.batch, row_begin, row_end, box_rows);
  };
  const DeviceWork& work = p.work;
  const ForwardMaps maps{
      .q = map(p.q, p.dim, p.q_heads, 0, p.q_rows, 64),
      .k = map(p.k, p.dim, p.kv_heads, work.column_begin, work.column_end, Shape::kColumns),
      .v = map(p.v, p.dim_v, p.kv_heads, work.column_begin, work.column_end, Shape::kColumns),
      .out = p.last ? map(p.out, p.dim_v, p.q_heads, 0, p.q_rows, 64) : CUtensorMap{},
  };
  check(cudaMemsetAsync(context.counter, 0, sizeof *context.counter, context.stream), "cudaMemsetAsync");
  launch<forward<T, Shape>>(std::min(p.order.items(), context.multiprocessors), Shape::kThreads, Shape::kSharedBytes,
                            context.stream, p, maps, context.counter);
}

void launch_forward(const ForwardParameters& p, const LaunchContext& context) {
  if (p.order.items() == 0) return;
  with_half_type(context.dtype, [&]<typename T>(T) {
    with_head_sizes(p.dim, p.dim_v, [&]<int kDim, int kDimV>() {
      using Masked = typename Forwards<kDim, kDimV, false>::Shape;
      using Full = typename Forwards<kDim, kDimV, true>::Shape;
      if (p.work.step_columns == Full::kColumns) {
        launch_forward<T, Full>(p, context);
      } else {
        launch_forward<T, Masked>(p, context);
      }
    });
  });
}

/// Calls visit.operator()<Shape>() where the head fits; longer heads are left to the kernels for Ampere.
template <typename Visitor>
bool with_backward_shape(int dim, int dim_v, Visitor&& visit) {
  if (std::max(dim, dim_v) > 128) return false;
  if (std::max(dim, dim_v) > 64) {
    visit.template operator()<BackwardShape<128, 64>>();
  } else {
    visit.template operator()<BackwardShape<64, 128>>();
  }
  return true;
}

BlockShape backward_shape(int dim, int dim_v) {
  BlockShape shape;
  const auto set = [&]<typename Shape>() { shape = {Shape::kRows, Shape::kColumns}; };
  return with_backward_shape(dim, dim_v, set) ? shape : kSm80Kernels.backward_shape(dim, dim_v);
}

template <typename T, typename Shape>
void launch_backward(const BackwardParameters& p, const LaunchContext& context) {
  static_assert(Shape::kSharedBytes <= kMostSharedBytes);
  const auto map = [&](const DeviceTensor& tensor, DType dtype, int dim, int heads, int row_begin, int row_end,
                       int box_rows) {
    return map_of(tensor, dtype, dim, heads, p.batch, row_begin, row_end, box_rows);
  };
  const DeviceWork& work = p.work;
  const BackwardMaps maps{
      .q = map(p.q, context.dtype, p.dim, p.q_heads, 0, p.q_rows, Shape::kColumns),
      .k = map(p.k, context.dtype, p.dim, p.kv_heads, work.row_begin, work.row_end, Shape::kRows),
      .v = map(p.v, context.dtype, p.dim_v, p.kv_heads, work.row_begin, work.row_end, Shape::kRows),
      .dout = map(p.dout, context.dtype, p.dim_v, p.q_heads, 0, p.q_rows, Shape::kColumns),
      .dq = map(p.dq, DType::kFp32, p.dim, p.q_heads, 0, p.q_rows, 64),
  };
  launch<backward<T, Shape>>(p.order.items(), Shape::kThreads, Shape::kSharedBytes, context.stream, p, maps);
}

void launch_backward(const BackwardParameters& p, const LaunchContext& context) {
  if (p.order.items() == 0) return;
  const bool done = with_backward_shape(p.dim, p.dim_v, [&]<typename Shape>() {
    with_half_type(context.dtype, [&]<typename T>(T) { launch_backward<T, Shape>(p, context); });
  });
  if (!done) kSm80Kernels.backward(p, context);
}

}  // namespace
}  // namespace sm90

const Implementation kSm90Kernels = {"sm90", sm90::forward_shape, sm90::backward_shape, sm90::launch_forward,
                                     sm90::launch_backward};

}  // namespace cpbench
