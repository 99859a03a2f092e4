// The operations that are no attention, on a GPU: what each means is said in schedule/program.hpp. Each queues its
// kernels on the stream and returns.
#pragma once

#include "backend/cuda/runtime.hpp"
#include "backend/tensor_view.hpp"

namespace cpbench::cuda {

/// delta[b, h, r] = sum over dim of out * dout. `out` and `dout` have the same shape and storage type.
void compute_delta(const TensorView& out, const TensorView& dout, const TensorView& delta, cudaStream_t stream);

/// `sink` and `dsink` are indexed by global query head and have `sink_heads` elements.
void compute_sink_gradient(const float* sink, const TensorView& lse, const TensorView& delta, float* dsink,
                           int sink_heads, const HeadMap& heads, cudaStream_t stream);

/// to += from, to = from and to = 0, for views of the same shape and any storage types.
void add(const TensorView& to, const TensorView& from, cudaStream_t stream);
void copy(const TensorView& to, const TensorView& from, cudaStream_t stream);
void clear(const TensorView& to, cudaStream_t stream);

/// Merges (partial_out, partial_lse) into (out, lse) for the heads of `heads`.
void merge(const TensorView& out, const TensorView& lse, const TensorView& partial_out, const TensorView& partial_lse,
           const HeadMap& heads, cudaStream_t stream);

}  // namespace cpbench::cuda
