#include "backend/cuda/elementwise.hpp"

#include <algorithm>

#include "backend/cuda/launch.hpp"
#include "backend/cuda/parameters.hpp"
#include "backend/cuda/warp_reduction.hpp"

namespace cpbench::cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kMostBlocks = 1 << 16;  // beyond that, blocks take several items
constexpr float kMinusInfinity = -__builtin_huge_valf();

struct Shape {
  std::int64_t batch, rows;
  std::int32_t heads, dim;
  __device__ std::int64_t count() const { return batch * rows * heads; }
};
struct Place {
  std::int64_t batch, row;
  int head;
  __device__ Place(const Shape& shape, std::int64_t index)
      : batch(index / shape.heads / shape.rows),
        row(index / shape.heads % shape.rows),
        head(static_cast<int>(index % shape.heads)) {}
};

template <typename T>
__device__ T* at(const DeviceTensor& tensor, const Place& place) {
  return tensor.at<T>(place.batch, place.row, place.head);
}

/// Consecutive elements that a thread moves at once.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Run {
  T values[kCount];
};

enum class Mode { kAdd, kCopy };

template <typename To, typename From, int kCount, Mode kMode>
__global__ void __launch_bounds__(kThreads) combine(Shape shape, DeviceTensor to, DeviceTensor from) {
  const std::int64_t runs = shape.dim / kCount, stride = std::int64_t{ptx::block_count()} * kThreads;
  for (std::int64_t i = std::int64_t{ptx::block_index()} * kThreads + ptx::thread_index(); i < shape.count() * runs;
       i += stride) {
    const Place place(shape, i / runs);
    auto* target = reinterpret_cast<Run<To, kCount>*>(at<To>(to, place)) + i % runs;
    const auto source = reinterpret_cast<const Run<From, kCount>*>(at<const From>(from, place))[i % runs];
    Run<To, kCount> result;
    if constexpr (kMode == Mode::kAdd) result = *target;
    for (int e = 0; e < kCount; ++e) {
      const float before = kMode == Mode::kAdd ? ptx::to_float(result.values[e]) : 0.0f;
      result.values[e] = ptx::from_float<To>(before + ptx::to_float(source.values[e]));
    }
    *target = result;
  }
}

template <typename T, int kCount>
__global__ void __launch_bounds__(kThreads) fill_zero(Shape shape, DeviceTensor to) {
  const std::int64_t runs = shape.dim / kCount, stride = std::int64_t{ptx::block_count()} * kThreads;
  for (std::int64_t i = std::int64_t{ptx::block_index()} * kThreads + ptx::thread_index(); i < shape.count() * runs;
       i += stride) {
    const Place place(shape, i / runs);
    reinterpret_cast<Run<T, kCount>*>(at<T>(to, place))[i % runs] = Run<T, kCount>{};
  }
}

/// Calls work(place) for every (batch, row, head), each by a warp.
template <typename Work>
__device__ void for_rows(const Shape& shape, Work&& work) {
  const std::int64_t stride = std::int64_t{ptx::block_count()} * kWarps;
  for (std::int64_t i = std::int64_t{ptx::block_index()} * kWarps + ptx::thread_index() / 32; i < shape.count();
       i += stride) {
    work(Place(shape, i));
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    delta_kernel(Shape shape, DeviceTensor out, DeviceTensor dout, DeviceTensor delta) {
  const int lane = ptx::thread_index() % 32;
  for_rows(shape, [&](const Place& place) {
    const T *o = at<const T>(out, place), *d = at<const T>(dout, place);
    float sum = 0;
    for (int i = 2 * lane; i < shape.dim; i += 64) {  // dim is even
      const auto a = *reinterpret_cast<const Run<T, 2>*>(o + i), b = *reinterpret_cast<const Run<T, 2>*>(d + i);
      sum += ptx::to_float(a.values[0]) * ptx::to_float(b.values[0]) +
             ptx::to_float(a.values[1]) * ptx::to_float(b.values[1]);
    }
    sum = warp_sum(sum);
    if (lane == 0) *at<float>(delta, place) = sum;
  });
}

/// One block per element of dsink; `shape` is that of lse without its heads.
__global__ void __launch_bounds__(kThreads) sink_gradient_kernel(Shape shape, HeadMap heads, const float* sink,
                                                                 DeviceTensor lse, DeviceTensor delta, float* dsink) {
  CPBENCH_SHARED_MEMORY(shared);
  auto* sums = reinterpret_cast<double*>(shared);
  const int head = ptx::block_index() - heads.q_global;
  if (head < 0 || head >= heads.count) {
    if (ptx::thread_index() == 0) dsink[ptx::block_index()] = 0;
    return;
  }
  double sum = 0;  // over all tokens: fp32 would lose digits at millions of them
  for (std::int64_t i = ptx::thread_index(); i < shape.batch * shape.rows; i += kThreads) {
    const float row_lse = *lse.at<const float>(i / shape.rows, i % shape.rows, heads.q_begin + head);
    if (row_lse == kMinusInfinity) continue;
    sum += expf(sink[ptx::block_index()] - row_lse) *
           *delta.at<const float>(i / shape.rows, i % shape.rows, heads.q_begin + head);
  }
  sums[ptx::thread_index()] = sum;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    ptx::block_sync();
    if (ptx::thread_index() < half) sums[ptx::thread_index()] += sums[ptx::thread_index() + half];
  }
  if (ptx::thread_index() == 0) dsink[ptx::block_index()] = static_cast<float>(-sums[0]);
}

template <typename Out, typename Partial>
__global__ void __launch_bounds__(kThreads)
    merge_kernel(Shape shape, DeviceTensor out, DeviceTensor lse, DeviceTensor partial_out, DeviceTensor partial_lse) {
  const int lane = ptx::thread_index() % 32;
  for_rows(shape, [&](const Place& place) {
    const float row_lse = *at<const float>(lse, place), other = *at<const float>(partial_lse, place);
    if (other == kMinusInfinity) return;
    // As a sigmoid, the weight cannot overflow; it is 1 where the row has seen nothing yet (lse -inf, out 0).
    const float weight = 1.0f / (1.0f + expf(row_lse - other));
    Out* o = at<Out>(out, place);
    const Partial* p = at<const Partial>(partial_out, place);
    for (int i = lane; i < shape.dim; i += 32) {
      const float before = ptx::to_float(o[i]);
      o[i] = ptx::from_float<Out>(before - weight * (before - ptx::to_float(p[i])));
    }
    ptx::warp_sync();  // every lane has read lse
    const float high = fmaxf(row_lse, other), low = fminf(row_lse, other);
    if (lane == 0) *at<float>(lse, place) = high + log1pf(expf(low - high));
  });
}

DeviceTensor device(const TensorView& view) {
  return {view.data, view.batch_stride, view.row_stride, view.head_stride};
}
Shape shape_of(const TensorView& view) {
  return {view.batch, view.rows, static_cast<std::int32_t>(view.heads), static_cast<std::int32_t>(view.dim)};
}
std::int64_t rows_of(const TensorView& view) { return view.batch * view.rows * view.heads; }

int blocks_for(std::int64_t items, int items_per_block) {
  return static_cast<int>(std::min<std::int64_t>((items + items_per_block - 1) / items_per_block, kMostBlocks));
}

/// Calls visit.operator()<kCount>() with the elements that a thread can move at once: heads are multiples of 8 long,
/// but statistics have one number per row.
template <typename Visitor>
void with_run_length(std::int64_t dim, Visitor&& visit) {
  if (dim % 8 == 0) {
    visit.template operator()<8>();
  } else {
    visit.template operator()<1>();
  }
}

template <Mode kMode>
void launch_combine(const TensorView& to, const TensorView& from, cudaStream_t stream) {
  check_same_shape(to, from);
  with_type(to.dtype, [&]<typename To>(To) {
    with_type(from.dtype, [&]<typename From>(From) {
      with_run_length(to.dim, [&]<int kCount>() {
        launch<combine<To, From, kCount, kMode>>(blocks_for(rows_of(to) * (to.dim / kCount), kThreads), kThreads, 0,
                                                 stream, shape_of(to), device(to), device(from));
      });
    });
  });
}

}  // namespace

void compute_delta(const TensorView& out, const TensorView& dout, const TensorView& delta, cudaStream_t stream) {
  check_same_shape(out, dout);
  with_type(out.dtype, [&]<typename T>(T) {
    launch<delta_kernel<T>>(blocks_for(rows_of(out), kWarps), kThreads, 0, stream, shape_of(out), device(out),
                            device(dout), device(delta));
  });
}

void compute_sink_gradient(const float* sink, const TensorView& lse, const TensorView& delta, float* dsink,
                           int sink_heads, const HeadMap& heads, cudaStream_t stream) {
  constexpr int kSharedBytes = kThreads * static_cast<int>(sizeof(double));
  launch<sink_gradient_kernel>(sink_heads, kThreads, kSharedBytes, stream, shape_of(lse), heads, sink, device(lse),
                               device(delta), dsink);
}

void add(const TensorView& to, const TensorView& from, cudaStream_t stream) {
  launch_combine<Mode::kAdd>(to, from, stream);
}
void copy(const TensorView& to, const TensorView& from, cudaStream_t stream) {
  launch_combine<Mode::kCopy>(to, from, stream);
}
void clear(const TensorView& to, cudaStream_t stream) {
  with_type(to.dtype, [&]<typename T>(T) {
    with_run_length(to.dim, [&]<int kCount>() {
      launch<fill_zero<T, kCount>>(blocks_for(rows_of(to) * (to.dim / kCount), kThreads), kThreads, 0, stream,
                                   shape_of(to), device(to));
    });
  });
}

void merge(const TensorView& out, const TensorView& lse, const TensorView& partial_out, const TensorView& partial_lse,
           const HeadMap& heads, cudaStream_t stream) {
  check_same_shape(out, partial_out);
  check_same_shape(lse, partial_lse);
  const auto cut = [&](const TensorView& view) { return view.box(0, view.rows, heads.q_begin, heads.count); };
  const TensorView target = cut(out);
  with_type(out.dtype, [&]<typename Out>(Out) {
    with_type(partial_out.dtype, [&]<typename Partial>(Partial) {
      launch<merge_kernel<Out, Partial>>(blocks_for(rows_of(target), kWarps), kThreads, 0, stream, shape_of(target),
                                         device(target), device(cut(lse)), device(cut(partial_out)),
                                         device(cut(partial_lse)));
    });
  });
}

}  // namespace cpbench::cuda
