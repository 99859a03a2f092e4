// The GPU's attention kernels on the virtual GPU, as kernels of the CPU backend: what tests those tests these.
#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

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

/// From a tensor's first element to its last; 0 where it has none.
std::int64_t extent_bytes(const TensorView& tensor) {
  if (tensor.data == nullptr || tensor.batch * tensor.rows * tensor.heads * tensor.dim == 0) return 0;
  return ((tensor.batch - 1) * tensor.batch_stride + (tensor.rows - 1) * tensor.row_stride +
          (tensor.heads - 1) * tensor.head_stride + tensor.dim) *
         bytes_of(tensor.dtype);
}

/// The mirrors of one operation.
class Mirrors {
 public:
  TensorView operator()(const TensorView& host, Mirror::Use use) {
    TensorView device = host;
    if (extent_bytes(host) == 0) return device;
    device.data = add(host.data, extent_bytes(host), use);
    return device;
  }
  std::byte* add(std::byte* host, std::int64_t bytes, Mirror::Use use) {
    return mirrors_.emplace_back(std::make_unique<Mirror>(host, bytes, use))->data();
  }

 private:
  std::vector<std::unique_ptr<Mirror>> mirrors_;
};

/// Keys that no tile reaches are not this step's: they may hold anything, and here not-a-numbers.
TensorView with_keys_of_tiles(const TensorView& keys, std::span<const Tile> tiles, std::vector<std::byte>& copy) {
  if (extent_bytes(keys) == 0) return keys;
  const auto [begin, end] = key_span(tiles);
  TensorView poisoned = keys;
  copy.assign(keys.data, keys.data + extent_bytes(keys));
  poisoned.data = copy.data();
  for (std::int64_t b = 0; b < keys.batch; ++b) {
    for (std::int64_t row = 0; row < keys.rows; ++row) {
      if (row >= begin && row < end) continue;
      for (std::int64_t head = 0; head < keys.heads; ++head) {
        std::memset(poisoned.address(b, row, head), 0xff, static_cast<std::size_t>(keys.dim * bytes_of(keys.dtype)));
      }
    }
  }
  return poisoned;
}

class VirtualKernel : public AttentionKernel {
 public:
  explicit VirtualKernel(int capability) : device_{half_kernels_of(capability).front(), kMultiprocessors} {}

  void attend(const AttendArguments& host, const KernelContext&) override {
    using enum Mirror::Use;
    Mirrors mirror;
    AttendArguments device = host;
    device.q = mirror(host.q, kRead);
    std::vector<std::byte> keys, values;
    device.k = mirror(with_keys_of_tiles(host.k, host.tiles, keys), kRead);
    device.v = mirror(with_keys_of_tiles(host.v, host.tiles, values), kRead);
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
    for (auto view : {&AttendBackwardArguments::q, &AttendBackwardArguments::dout, &AttendBackwardArguments::lse,
                      &AttendBackwardArguments::delta}) {
      device.*view = mirror(host.*view, kRead);
    }
    std::vector<std::byte> keys, values;
    device.k = mirror(with_keys_of_tiles(host.k, host.tiles, keys), kRead);
    device.v = mirror(with_keys_of_tiles(host.v, host.tiles, values), kRead);
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

const RegisterKernel kAmpere({"virtual-sm80", [] { return std::make_unique<VirtualKernel>(80); }});
const RegisterKernel kHopper({"virtual-sm90", [] { return std::make_unique<VirtualKernel>(90); }});

}  // namespace
}  // namespace cpbench
