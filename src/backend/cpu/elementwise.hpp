// The operations that are no attention: what each means is said in schedule/program.hpp.
#pragma once

#include "backend/kernel.hpp"
#include "backend/tensor_view.hpp"

namespace cpbench {

/// delta[b, h, r] = sum over dim of out * dout. `out` and `dout` have the same shape and storage type.
void compute_delta(const TensorView& out, const TensorView& dout, const TensorView& delta,
                   const KernelContext& context);

/// `sink` and `dsink` are indexed by global query head and have `sink_heads` elements.
void compute_sink_gradient(const float* sink, const TensorView& lse, const TensorView& delta, float* dsink,
                           int sink_heads, const HeadMap& heads, const KernelContext& context);

/// to += from and to = from, for views of the same shape and any storage types.
void add(const TensorView& to, const TensorView& from, const KernelContext& context);
void copy(const TensorView& to, const TensorView& from, const KernelContext& context);

/// Merges (partial_out, partial_lse) into (out, lse) for the heads of `heads`.
void merge(const TensorView& out, const TensorView& lse, const TensorView& partial_out, const TensorView& partial_lse,
           const HeadMap& heads, const KernelContext& context);

}  // namespace cpbench
