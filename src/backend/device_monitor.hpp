// How fast a device was allowed to run while something was measured on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cpbench {

/// Over the samples of a measurement.
struct DeviceState {
  double sm_clock_mhz = 0, lowest_sm_clock_mhz = 0, memory_clock_mhz = 0;
  double power_w = 0, highest_power_w = 0;
  std::vector<std::string> throttled_by;  ///< reasons that held at some sample: `power-cap`, ...
  bool operator==(const DeviceState&) const = default;
};

/// Watches from its making on.
class DeviceMonitor {
 public:
  virtual ~DeviceMonitor() = default;
  /// What was seen; nothing where the driver tells nothing.
  virtual std::optional<DeviceState> stop() = 0;
};

}  // namespace cpbench
