#include "backend/cpu/elementwise.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "backend/cpu/isa.hpp"
#include "backend/cpu/parallel.hpp"

namespace cpbench {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kRowsPerItem = 64;

/// Calls work(b, row) for every row of every sequence, in parallel, some rows to an item.
template <typename Work>
void for_rows(const TensorView& view, const KernelContext& context, Work&& work) {
  const std::int64_t blocks = (view.rows + kRowsPerItem - 1) / kRowsPerItem;
  parallel_for(view.batch * blocks, context, [&](std::int64_t item, Poller&) {
    const std::int64_t b = item / blocks;
    const std::int64_t begin = item % blocks * kRowsPerItem;
    for (std::int64_t row = begin; row < std::min(view.rows, begin + kRowsPerItem); ++row) work(b, row);
  });
}

template <typename T>
constexpr DType kTypeOf = DType::kFp32;
template <>
constexpr DType kTypeOf<bf16> = DType::kBf16;
template <>
constexpr DType kTypeOf<fp16> = DType::kFp16;

template <typename To, typename From>
void copy_run(To* to, const From* from, std::int64_t count) {
  if constexpr (std::is_same_v<To, From>) {
    std::memmove(to, from, static_cast<std::size_t>(count) * sizeof(To));
  } else if constexpr (std::is_same_v<From, float>) {
    microkernels_for(DType::kFp32).rows.put(from, count, 1, false, kTypeOf<To>, to);
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from_float<To>(to_float(from[i]));
  }
}

template <typename To, typename From>
void add_run(To* to, const From* from, std::int64_t count) {
  if constexpr (std::is_same_v<From, float>) {
    microkernels_for(DType::kFp32).rows.put(from, count, 1, true, kTypeOf<To>, to);
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from_float<To>(to_float(to[i]) + to_float(from[i]));
  }
}

/// Calls run(to, from, count) for contiguous runs of the two views: a head's row, or all heads of it where they touch.
template <typename Run>
void for_runs(const TensorView& to, const TensorView& from, const KernelContext& context, Run&& run) {
  check_same_shape(to, from);
  const bool touching = to.head_stride == to.dim && from.head_stride == from.dim;
  const std::int64_t runs = touching ? 1 : to.heads;
  const std::int64_t length = touching ? to.heads * to.dim : to.dim;
  with_type(to.dtype, [&]<typename To>(To) {
    with_type(from.dtype, [&]<typename From>(From) {
      for_rows(to, context, [&](std::int64_t b, std::int64_t row) {
        for (std::int64_t head = 0; head < runs; ++head) {
          run(to.at<To>(b, row, head), from.at<const From>(b, row, head), length);
        }
      });
    });
  });
}

}  // namespace

void compute_delta(const TensorView& out, const TensorView& dout, const TensorView& delta,
                   const KernelContext& context) {
  check_same_shape(out, dout);
  const RowKernels& rows = microkernels_for(DType::kFp32).rows;
  for_rows(out, context, [&](std::int64_t b, std::int64_t row) {
    for (std::int64_t head = 0; head < out.heads; ++head) {
      *delta.at<float>(b, row, head) =
          rows.dot(out.address(b, row, head), dout.address(b, row, head), out.dim, out.dtype);
    }
  });
}

void compute_sink_gradient(const float* sink, const TensorView& lse, const TensorView& delta, float* dsink,
                           int sink_heads, const HeadMap& heads, const KernelContext& context) {
  std::fill_n(dsink, sink_heads, 0.0f);
  parallel_for(heads.count, context, [&](std::int64_t i, Poller& poller) {
    const float logit = sink[heads.q_global + i];
    double sum = 0;  // a sum over all tokens: fp32 would lose digits at millions of them
    for (std::int64_t b = 0; b < lse.batch; ++b) {
      for (std::int64_t row = 0; row < lse.rows; ++row) {
        const float row_lse = *lse.at<const float>(b, row, heads.q_begin + i);
        if (row_lse == kMinusInfinity) continue;
        sum += std::exp(logit - row_lse) * *delta.at<const float>(b, row, heads.q_begin + i);
      }
      poller();
    }
    dsink[heads.q_global + i] = static_cast<float>(-sum);
  });
}

void add(const TensorView& to, const TensorView& from, const KernelContext& context) {
  for_runs(to, from, context, [](auto* t, const auto* f, std::int64_t count) { add_run(t, f, count); });
}

void copy(const TensorView& to, const TensorView& from, const KernelContext& context) {
  for_runs(to, from, context, [](auto* t, const auto* f, std::int64_t count) { copy_run(t, f, count); });
}

void merge(const TensorView& out, const TensorView& lse, const TensorView& partial_out, const TensorView& partial_lse,
           const HeadMap& heads, const KernelContext& context) {
  check_same_shape(out, partial_out);
  check_same_shape(lse, partial_lse);
  const auto merge_row = [&]<typename Out, typename Partial>(Out* o, const Partial* p, float& row_lse, float other) {
    if (other == kMinusInfinity) return;
    // As a sigmoid, the weight cannot overflow; it is 1 where the row has seen nothing yet (lse -inf, out 0).
    const float weight = 1.0f / (1.0f + std::exp(row_lse - other));
    for (std::int64_t i = 0; i < out.dim; ++i) {
      const float before = to_float(o[i]);
      o[i] = from_float<Out>(before - weight * (before - to_float(p[i])));
    }
    const float high = std::max(row_lse, other), low = std::min(row_lse, other);
    row_lse = high + std::log1p(std::exp(low - high));
  };
  with_type(out.dtype, [&]<typename Out>(Out) {
    with_type(partial_out.dtype, [&]<typename Partial>(Partial) {
      for_rows(out, context, [&](std::int64_t b, std::int64_t row) {
        for (std::int64_t head = heads.q_begin; head < heads.q_begin + heads.count; ++head) {
          merge_row(out.at<Out>(b, row, head), partial_out.at<const Partial>(b, row, head),
                    *lse.at<float>(b, row, head), *partial_lse.at<const float>(b, row, head));
        }
      });
    });
  });
}

}  // namespace cpbench
