#include "backend/cpu/cpu_backend.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "backend/cpu/elementwise.hpp"
#include "backend/operands.hpp"
#include "support/alternate_stack.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

class HostMemory : public DeviceMemory {
 public:
  explicit HostMemory(std::int64_t bytes) {
    constexpr std::size_t kCacheLine = 64, kHugePage = std::size_t{2} << 20;
    const auto wanted = static_cast<std::size_t>(bytes);
    const std::size_t alignment = wanted >= kHugePage ? kHugePage : kCacheLine;
    const std::size_t size = (wanted / alignment + 1) * alignment;
    data_ = std::aligned_alloc(alignment, size);
    if (data_ == nullptr) {
      throw Error(ExitCode::kPlacement, fmt::format("cannot allocate {} bytes of host memory", bytes));
    }
    // Fewer TLB misses; a kernel that has no huge pages refuses the hint, and nothing is lost.
    if (alignment == kHugePage) madvise(data_, size, MADV_HUGEPAGE);
    std::memset(data_, 0, size);
  }
  ~HostMemory() override { std::free(data_); }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  std::byte* data() override { return static_cast<std::byte*>(data_); }

 private:
  void* data_;
};

/// Calls what computes an operation.
struct Dispatch {
  const ProgramMemory& memory;
  AttentionKernel& kernel;
  const KernelContext& context;

  TensorView tensor(BufferId id) const { return memory.view(id).first; }

  void operator()(const Exchange&) const {
    throw std::logic_error("an exchange is the transport's, not the backend's");
  }

  void operator()(const Attend& op) const { kernel.attend(operands_of(op, memory), context); }
  void operator()(const AttendBackward& op) const { kernel.attend_backward(operands_of(op, memory), context); }

  void operator()(const Delta& op) const { compute_delta(tensor(op.out), tensor(op.dout), tensor(op.delta), context); }

  void operator()(const SinkGradient& op) const {
    const TensorView dsink = tensor(op.dsink);
    compute_sink_gradient(sink_of(op.sink, memory), tensor(op.lse), tensor(op.delta), dsink.at<float>(0, 0, 0),
                          static_cast<int>(dsink.heads), op.heads, context);
  }

  void operator()(const Add& op) const { for_tensors(op.to, op.from, add); }
  void operator()(const Copy& op) const { for_tensors(op.to, op.from, copy); }

  void operator()(const Merge& op) const {
    merge(tensor(op.out), tensor(op.lse), tensor(op.partial_out), tensor(op.partial_lse), op.heads, context);
  }

  template <typename Apply>
  void for_tensors(const Region& to, const Region& from, Apply&& apply) const {
    const BufferView target = view_of_region(memory, to), source = view_of_region(memory, from);
    apply(target.first, source.first, context);
    if (target.second.data != nullptr) apply(target.second, source.second, context);
  }
};

}  // namespace

CpuBackend::CpuBackend(const std::string& kernel, int threads) : kernel_(make_kernel(kernel)), threads_(threads) {
  // Kernels put blocks on their stacks, and OpenMP keeps these threads.
#pragma omp parallel num_threads(threads)
  use_alternate_stack();
}

std::unique_ptr<DeviceMemory> CpuBackend::allocate(std::int64_t bytes) { return std::make_unique<HostMemory>(bytes); }

Computation CpuBackend::prepare(const Op& op, const ProgramMemory& memory) {
  return [this, &op, &memory](const Poll& poll) {
    const KernelContext context{threads_, poll};
    std::visit(Dispatch{memory, *kernel_, context}, op.action);
  };
}

}  // namespace cpbench
