#include "backend/cuda/nvml.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace cpbench {
namespace {

/// The few functions that are used, with the library's own numbers. 0 is its success.
struct Nvml {
  using Device = void*;
  static constexpr int kSmClock = 1, kMemoryClock = 2;

  int (*init)() = nullptr;
  int (*device_by_uuid)(const char* uuid, Device* device) = nullptr;
  int (*clock)(Device device, int kind, unsigned* mhz) = nullptr;
  int (*power)(Device device, unsigned* milliwatts) = nullptr;
  int (*throttle_reasons)(Device device, unsigned long long* reasons) = nullptr;

  bool is_complete() const { return init && device_by_uuid && clock && power && throttle_reasons; }
};

struct Reason {
  unsigned long long bit;
  const char* name;
};
/// But for idleness.
constexpr std::array<Reason, 7> kReasons = {{{0x02, "clock-setting"},
                                             {0x04, "power-cap"},
                                             {0x08, "hardware"},
                                             {0x10, "sync-boost"},
                                             {0x20, "software-thermal"},
                                             {0x40, "hardware-thermal"},
                                             {0x80, "power-brake"}}};

template <typename Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

/// Null where it cannot be used. Loaded once, never unloaded.
const Nvml* loaded() {
  static const Nvml kFound = [] {
    Nvml found;
    void* const library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return found;
    find(library, "nvmlInit_v2", found.init);
    find(library, "nvmlDeviceGetHandleByUUID", found.device_by_uuid);
    find(library, "nvmlDeviceGetClockInfo", found.clock);
    find(library, "nvmlDeviceGetPowerUsage", found.power);
    // The name since driver 535; the other one is to go, or to answer with an error, with CUDA 14.
    find(library, "nvmlDeviceGetCurrentClocksEventReasons", found.throttle_reasons);
    if (!found.throttle_reasons) find(library, "nvmlDeviceGetCurrentClocksThrottleReasons", found.throttle_reasons);
    if (!found.is_complete() || found.init() != 0) return Nvml{};
    return found;
  }();
  return kFound.is_complete() ? &kFound : nullptr;
}

class NvmlMonitor : public DeviceMonitor {
 public:
  NvmlMonitor(const Nvml& nvml, Nvml::Device device) : nvml_(nvml), device_(device), thread_([this] { watch(); }) {}
  ~NvmlMonitor() override { end(); }

  std::optional<DeviceState> stop() override {
    end();
    if (samples_ == 0) return std::nullopt;
    DeviceState state = sums_;
    state.sm_clock_mhz /= samples_;
    state.memory_clock_mhz /= samples_;
    state.power_w /= samples_;
    for (const Reason& reason : kReasons) {
      if ((reasons_ & reason.bit) != 0) state.throttled_by.emplace_back(reason.name);
    }
    return state;
  }

 private:
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void watch() {
    std::unique_lock lock(mutex_);
    do {
      sample();
    } while (!wake_.wait_for(lock, std::chrono::milliseconds(20), [this] { return ended_; }));
  }

  void sample() {
    unsigned sm = 0, memory = 0, milliwatts = 0;
    unsigned long long reasons = 0;
    if (nvml_.clock(device_, Nvml::kSmClock, &sm) != 0 || nvml_.clock(device_, Nvml::kMemoryClock, &memory) != 0 ||
        nvml_.power(device_, &milliwatts) != 0 || nvml_.throttle_reasons(device_, &reasons) != 0) {
      return;
    }
    const double watts = milliwatts * 1e-3;
    sums_.lowest_sm_clock_mhz = samples_ == 0 ? sm : std::min<double>(sums_.lowest_sm_clock_mhz, sm);
    sums_.highest_power_w = std::max(sums_.highest_power_w, watts);
    sums_.sm_clock_mhz += sm;
    sums_.memory_clock_mhz += memory;
    sums_.power_w += watts;
    reasons_ |= reasons;
    ++samples_;
  }

  const Nvml& nvml_;
  Nvml::Device device_;
  DeviceState sums_;
  unsigned long long reasons_ = 0;
  int samples_ = 0;
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<DeviceMonitor> make_nvml_monitor(const std::string& uuid) {
  const Nvml* const nvml = loaded();
  Nvml::Device device = nullptr;
  if (nvml == nullptr || nvml->device_by_uuid(uuid.c_str(), &device) != 0) return nullptr;
  return std::make_unique<NvmlMonitor>(*nvml, device);
}

}  // namespace cpbench
