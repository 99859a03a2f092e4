#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/nvml.hpp"
#include "backend/cuda/peak.hpp"
#include "backend/platform.hpp"

namespace cpbench {
namespace {

/// As nvidia-smi writes it.
std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU";
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += "-";
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

DeviceInfo info_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  std::array<char, 32> bus_id{};
  check(cudaDeviceGetPCIBusId(bus_id.data(), static_cast<int>(bus_id.size()), device), "cudaDeviceGetPCIBusId");
  DeviceInfo info{.name = properties.name,
                  .uuid = uuid_text(properties.uuid),
                  .bus_id = bus_id.data(),
                  .kernels = {},
                  .obstacle = ""};
  for (const Implementation* kernels : half_kernels_of(10 * properties.major + properties.minor)) {
    info.kernels.emplace_back(kernels->name);
  }
  if (info.kernels.empty()) {
    info.obstacle = fmt::format("{} {} is of compute capability {}.{}, older than 8.0", info.name, info.uuid,
                                properties.major, properties.minor);
  }
  return info;
}

std::string version_by(cudaError_t (*get)(int*)) {
  int version = 0;
  if (get(&version) != cudaSuccess || version == 0) return "";
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// The runtime calls a driver that is not there too old.
std::string why_driver_is_insufficient() {
  const std::string driver = version_by(cudaDriverGetVersion);
  if (driver.empty()) return "no driver was found";
  constexpr std::string_view kLeast = CPBENCH_LEAST_DRIVER;
  return fmt::format("the driver is for CUDA {}, and this program, made with CUDA {}, needs {}", driver,
                     version_by(cudaRuntimeGetVersion),
                     kLeast.empty() ? "a later one" : fmt::format("driver {} or later", kLeast));
}

class CudaPlatform : public Platform {
 public:
  /// Before the driver starts, unless the user says. Streams have queues of their own, as many as there can be: what
  /// CUDA puts into one queue runs in the order in which it came there, and of what only flags or the kernels of NCCL
  /// order CUDA knows no order.
  CudaPlatform() { setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", /*overwrite=*/0); }
  std::string name() const override { return "cuda"; }
  bool needs_device() const override { return true; }
  std::vector<DeviceInfo> devices() const override {
    std::vector<DeviceInfo> found;
    for (int device = 0; device < count(); ++device) found.push_back(info_of(device));
    return found;
  }
  std::string obstacle() const override {
    int found = 0;
    const cudaError_t status = cudaGetDeviceCount(&found);
    cudaGetLastError();
    if (status == cudaErrorInsufficientDriver) return "there is no GPU: " + why_driver_is_insufficient();
    if (status != cudaSuccess) return fmt::format("there is no GPU: {}", cudaGetErrorString(status));
    if (found == 0) return "there is no GPU";
    const std::vector<DeviceInfo> all = devices();
    const bool any = std::ranges::any_of(all, [](const DeviceInfo& device) { return device.obstacle.empty(); });
    return any ? "" : "no GPU can be used: " + all.front().obstacle;
  }
  std::int64_t planned_bytes(const Problem& problem, const Program& program,
                             const BackendOptions& options) const override {
    constexpr int kHopper = 90;  // which has every kernel: a plan needs no device
    const CudaDevice device{.half_kernels = &find_half_kernels(kHopper, options.kernel), .multiprocessors = 1};
    const ProgramMemory none{&problem, &program, std::vector<std::byte*>(program.buffers.size())};
    return program.total_bytes(problem.batch) + OperationMemory::bytes_for(device, none);
  }
  std::int64_t available_bytes(int device) const override {
    check(cudaSetDevice(device), "cudaSetDevice");
    std::size_t available = 0, total = 0;
    check(cudaMemGetInfo(&available, &total), "cudaMemGetInfo");
    return static_cast<std::int64_t>(available);
  }
  std::optional<double> peak_flops(DType dtype, const BackendOptions& options) const override {
    const auto attribute = [&](cudaDeviceAttr which) {
      int value = 0;
      check(cudaDeviceGetAttribute(&value, which, options.device), "cudaDeviceGetAttribute");
      return value;
    };
    const int capability =
        10 * attribute(cudaDevAttrComputeCapabilityMajor) + attribute(cudaDevAttrComputeCapabilityMinor);
    constexpr double kHzPerKilohertz = 1e3;
    return nominal_flops(capability, dtype, attribute(cudaDevAttrMultiProcessorCount),
                         attribute(cudaDevAttrClockRate) * kHzPerKilohertz);
  }
  std::string runtime_version() const override { return version_by(cudaRuntimeGetVersion); }
  std::string driver_version() const override { return version_by(cudaDriverGetVersion); }
  std::unique_ptr<DeviceMonitor> monitor(const DeviceInfo& device) const override {
    return make_nvml_monitor(device.uuid);
  }
  std::unique_ptr<Backend> make(const BackendOptions& options) const override {
    return std::make_unique<CudaBackend>(CudaOptions{.device = options.device,
                                                     .kernel = options.kernel,
                                                     .graphs = options.graphs,
                                                     .reserved_multiprocessors = options.reserved_multiprocessors});
  }

 private:
  static int count() {
    int found = 0;
    return cudaGetDeviceCount(&found) == cudaSuccess ? found : 0;
  }
};

const RegisterPlatform kRegistered(std::make_unique<CudaPlatform>());

}  // namespace
}  // namespace cpbench
