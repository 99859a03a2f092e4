// The GPU's attention kernels on the virtual GPU, as kernels of the CPU backend: what tests those tests these.
#include <algorithm>
#include <cstring>

#include "backend/cuda/attention.hpp"
#include "backend/kernel.hpp"
#include "vgpu/support/device_array.hpp"

namespace cpbench {
namespace {

/// The device's copy of what a host operation works on; what the device may have written goes back in the end.
class Mirror {
 public:
  enum class Use { kRead, kWrite };

  Mirror(std::byte* host, std::int64_t bytes, Use use)
      : host_(host), use_(use), device_(std::vector<std::byte>(host, host + bytes)) {}
  ~Mirror() {
    if (use_ == Use::kRead) return;
    const std::vector<std::byte> values = device_.values();
    std::copy(values.begin(), values.end(), host_);
  }
  std::byte* data() const { return device_.data(); }

 private:
  std::byte* host_;
  Use use_;
  vgpu::DeviceArray<std::byte> device_;
};

/// The mirrors of one operation.
class Mirrors {
 public:
  TensorView operator()(const TensorView& host, Mirror::Use use) {
    TensorView device = host;
    if (host.data == nullptr || host.batch * host.rows * host.heads * host.dim == 0) return device;
    const std::int64_t elements = (host.batch - 1) * host.batch_stride + (host.rows - 1) * host.row_stride +
                                  (host.heads - 1) * host.head_stride + host.dim;
    device.data = add(host.data, elements * bytes_of(host.dtype), use);
    return device;
  }
  std::byte* add(std::byte* host, std::int64_t bytes, Mirror::Use use) {
    return mirrors_.emplace_back(std::make_unique<Mirror>(host, bytes, use))->data();
  }

 private:
  std::vector<std::unique_ptr<Mirror>> mirrors_;
};

class VirtualKernel : public AttentionKernel {
 public:
  explicit VirtualKernel(int capability) : device_{half_kernels_of(capability).front(), kMultiprocessors} {}

  void attend(const AttendArguments& host, const KernelContext&) override {
    using enum Mirror::Use;
    Mirrors mirror;
    AttendArguments device = host;
    device.q = mirror(host.q, kRead);
    device.k = mirror(host.k, kRead);
    device.v = mirror(host.v, kRead);
    device.out = mirror(host.out, kWrite);
    device.lse = mirror(host.lse, kWrite);
    const std::int64_t state = host.q.batch * host.q.rows * host.q.heads * (host.v.dim + 2);
    device.state = reinterpret_cast<float*>(
        mirror.add(reinterpret_cast<std::byte*>(host.state), state * std::int64_t{sizeof(float)}, kWrite));
    std::vector<float> sinks;
    if (host.sink != nullptr) sinks.assign(host.sink, host.sink + host.heads.q_global + host.heads.count);
    const vgpu::DeviceArray<float> device_sinks(sinks);
    device.sink = sinks.empty() ? nullptr : device_sinks.data();

    const PreparedWork work = prepare_forward(choose_kernels(device_, host.q.dtype), host);
    const vgpu::DeviceArray<std::byte> device_work(work.bytes);
    const vgpu::DeviceArray<std::int32_t> counter(1);
    cpbench::attend(device_, {device, work.on_device(device_work.data()), counter.data()}, nullptr);
  }

  void attend_backward(const AttendBackwardArguments& host, const KernelContext&) override {
    using enum Mirror::Use;
    Mirrors mirror;
    AttendBackwardArguments device = host;
    for (auto view : {&AttendBackwardArguments::q, &AttendBackwardArguments::k, &AttendBackwardArguments::v,
                      &AttendBackwardArguments::dout, &AttendBackwardArguments::lse, &AttendBackwardArguments::delta}) {
      device.*view = mirror(host.*view, kRead);
    }
    for (auto view : {&AttendBackwardArguments::dq, &AttendBackwardArguments::dk, &AttendBackwardArguments::dv}) {
      device.*view = mirror(host.*view, kWrite);
    }
    const PreparedWork work = prepare_backward(choose_kernels(device_, host.q.dtype), host);
    const vgpu::DeviceArray<std::byte> device_work(work.bytes);
    const vgpu::DeviceArray<std::byte> workspace(static_cast<std::size_t>(workspace_bytes(host)));
    cpbench::attend_backward(device_, {device, work.on_device(device_work.data()), workspace.data()}, nullptr);
  }

 private:
  static constexpr int kMultiprocessors = 2;
  CudaDevice device_;
};

const RegisterKernel kAmpere("virtual-sm80", [] { return std::make_unique<VirtualKernel>(80); });
const RegisterKernel kHopper("virtual-sm90", [] { return std::make_unique<VirtualKernel>(90); });

}  // namespace
}  // namespace cpbench
