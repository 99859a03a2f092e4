#include "backend/cuda/cuda_backend.hpp"

#include <stdexcept>
#include <utility>

#include "backend/cuda/elementwise.hpp"
#include "backend/cuda/known_kernels.hpp"
#include "backend/operands.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

cudaDeviceProp properties_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return properties;
}

}  // namespace

/// Makes an operation ready: its operands are found and its work list brought to the device now, not when it runs.
class CudaBackend::Preparation {
 public:
  Preparation(CudaBackend& backend, const Op& op, const ProgramMemory& memory)
      : shared_(backend.shared_),
        op_(op),
        memory_(memory),
        device_(backend.device_),
        stream_(backend.queues_.stream(op.stream)) {}

  Computation operator()(const Exchange&) const {
    throw std::logic_error("an exchange is the transport's, not the backend's");
  }

  Computation operator()(const Attend& op) const {
    const AttendArguments operands = operands_of(op, memory_);
    const PreparedWork work = prepare_forward(choose_kernels(device_, operands.q.dtype), operands);
    return [device = device_, stream = stream_, operands, list = shared_.list(op_.stream, work)](const Poll&) {
      attend(device, {operands, list.work(), list.counter()}, stream);
    };
  }

  Computation operator()(const AttendBackward& op) const {
    const AttendBackwardArguments operands = operands_of(op, memory_);
    const PreparedWork work = prepare_backward(choose_kernels(device_, operands.q.dtype), operands);
    return [device = device_, stream = stream_, operands, list = shared_.list(op_.stream, work),
            workspace = shared_.workspace(op_.stream, workspace_bytes(operands), memory_)](const Poll&) {
      attend_backward(device, {operands, list.work(), workspace->data()}, stream);
    };
  }

  Computation operator()(const Delta& op) const {
    return [stream = stream_, out = tensor(op.out), dout = tensor(op.dout), delta = tensor(op.delta)](const Poll&) {
      cuda::compute_delta(out, dout, delta, stream);
    };
  }

  Computation operator()(const SinkGradient& op) const {
    return [stream = stream_, sink = sink_of(op.sink, memory_), lse = tensor(op.lse), delta = tensor(op.delta),
            dsink = tensor(op.dsink), heads = op.heads](const Poll&) {
      cuda::compute_sink_gradient(sink, lse, delta, dsink.at<float>(0, 0, 0), static_cast<int>(dsink.heads), heads,
                                  stream);
    };
  }

  Computation operator()(const Add& op) const { return for_tensors(op.to, op.from, cuda::add); }
  Computation operator()(const Copy& op) const { return for_tensors(op.to, op.from, cuda::copy); }

  Computation operator()(const Merge& op) const {
    return [stream = stream_, out = tensor(op.out), lse = tensor(op.lse), partial_out = tensor(op.partial_out),
            partial_lse = tensor(op.partial_lse),
            heads = op.heads](const Poll&) { cuda::merge(out, lse, partial_out, partial_lse, heads, stream); };
  }

 private:
  using Combine = void (*)(const TensorView& to, const TensorView& from, cudaStream_t stream);

  TensorView tensor(BufferId id) const { return memory_.view(id).first; }

  Computation for_tensors(const Region& to, const Region& from, Combine combine) const {
    return [stream = stream_, combine, target = view_of_region(memory_, to),
            source = view_of_region(memory_, from)](const Poll&) {
      combine(target.first, source.first, stream);
      if (target.second.data != nullptr) combine(target.second, source.second, stream);
    };
  }

  OperationMemory& shared_;
  const Op& op_;
  const ProgramMemory& memory_;
  CudaDevice device_;
  cudaStream_t stream_;
};

CudaBackend::CudaBackend(const CudaOptions& options) : ordinal_(made_current(options.device)), queues_(options.graphs) {
  load_kernels();
  const cudaDeviceProp properties = properties_of(ordinal_);
  reserved_multiprocessors_ = std::min(options.reserved_multiprocessors, properties.multiProcessorCount - 1);
  device_ = {.half_kernels = &find_half_kernels(10 * properties.major + properties.minor, options.kernel),
             .multiprocessors = properties.multiProcessorCount - reserved_multiprocessors_};
}

std::unique_ptr<DeviceMemory> CudaBackend::allocate(std::int64_t bytes) { return make_zeroed_memory(bytes); }

Computation CudaBackend::prepare(const Op& op, const ProgramMemory& memory) {
  return std::visit(Preparation(*this, op, memory), op.action);
}

void CudaBackend::write(std::byte* to, std::span<const std::byte> from) { copy_to_device(to, from); }

void CudaBackend::read(std::span<std::byte> to, const std::byte* from) {
  if (to.empty()) return;
  check(cudaMemcpy(to.data(), from, to.size(), cudaMemcpyDeviceToHost), "cudaMemcpy");
}

void CudaBackend::fill(std::span<std::byte> memory, std::byte value) { fill_on_device(memory, value); }

}  // namespace cpbench
