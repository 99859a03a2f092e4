// A kernel with its arguments, as a launch keeps it until it runs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>

#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

class KernelCall {
 public:
  virtual ~KernelCall() = default;
  /// One thread of the kernel.
  virtual void run() const = 0;
  /// Which kernel it is.
  virtual const void* function() const = 0;
  /// Of this object: threads may read their arguments there.
  virtual std::size_t bytes() const = 0;
};

template <typename... Parameters>
class KernelCallOf final : public KernelCall {
 public:
  KernelCallOf(void (*kernel)(Parameters...), const std::decay_t<Parameters>&... arguments)
      : kernel_(kernel), arguments_(arguments...) {}
  void run() const override { std::apply(kernel_, arguments_); }
  const void* function() const override { return reinterpret_cast<const void*>(kernel_); }
  std::size_t bytes() const override { return sizeof *this; }

 private:
  void (*kernel_)(Parameters...);
  std::tuple<std::decay_t<Parameters>...> arguments_;
};

struct LaunchShape {
  int blocks, threads, shared_bytes;
};

/// Queues a kernel on a stream, and loads it if it is the first time.
void launch_kernel(const LaunchShape& shape, cudaStream_t stream, std::unique_ptr<const KernelCall> call);

}  // namespace cpbench::vgpu
