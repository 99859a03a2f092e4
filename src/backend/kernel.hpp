// The attention kernel of the CPU backend: the seam at which a kernel author adds one (docs/kernels.md).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/tensor_view.hpp"
#include "support/registry.hpp"

namespace cpbench {

/// What `Attend` means is said in schedule/program.hpp; the views are of whole buffers, and only the heads of `heads`
/// are touched. `state` is an opaque block of fp32 of size batch * rows * heads * (dim_v + 2), kept from step to step;
/// a kernel chooses its own layout, in which the states of different heads must not overlap.
struct AttendArguments {
  TensorView q, k, v;
  float* state;
  TensorView out, lse;  ///< written where `last` holds; data is null otherwise
  const float* sink;    ///< by global query head; null without sinks
  HeadMap heads;
  int group;  ///< query heads per K/V head
  double scale;
  bool first, last;
  std::span<const Tile> tiles;
};

/// k, v, dk and dv have the same rows.
struct AttendBackwardArguments {
  TensorView q, k, v, dout, lse, delta;
  TensorView dq, dk, dv;  ///< fp32, or the storage type where they start and end here, or with `--accumulate merge`
  HeadMap heads;
  int group;
  double scale;
  bool first_dq, first_dkv;
  std::span<const Tile> tiles;
};

/// What a kernel is given to run with.
struct KernelContext {
  int threads = 1;
  /// Lets communication progress. Called on the calling thread only, at least about every millisecond.
  std::function<void()> poll = [] {};
};

class AttentionKernel {
 public:
  virtual ~AttentionKernel() = default;
  virtual void attend(const AttendArguments& arguments, const KernelContext& context) = 0;
  virtual void attend_backward(const AttendBackwardArguments& arguments, const KernelContext& context) = 0;
};

/// The kernel that is used where none is named.
inline constexpr const char* kDefaultKernel = "blocked";

struct Kernel {
  std::string name;  ///< for `--kernel`
  std::function<std::unique_ptr<AttentionKernel>()> make;
};
/// A kernel registers itself from its own file:
///   const RegisterKernel kRegistered({"simple", [] { return std::make_unique<SimpleKernel>(); }});
using RegisterKernel = Register<Kernel>;
std::vector<std::string> kernel_names();
/// Throws a usage error with the nearest known name.
std::unique_ptr<AttentionKernel> make_kernel(const std::string& name);

}  // namespace cpbench
