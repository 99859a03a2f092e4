// NVIDIA's management library, loaded at run time: builds need no header of it, and machines need not have it.
#pragma once

#include <memory>
#include <string>

#include "backend/device_monitor.hpp"

namespace cpbench {

/// Samples clocks, power and throttle reasons of the GPU of that UUID every 20 ms from a thread of its own, which asks
/// the driver's management interface and never the CUDA runtime. Null where the library or the GPU is not found.
std::unique_ptr<DeviceMonitor> make_nvml_monitor(const std::string& uuid);

}  // namespace cpbench
