// References that a device computes: what `--reference device` takes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "support/registry.hpp"
#include "validate/single_device.hpp"

namespace cpbench {

struct DeviceReference {
  std::string platform;  ///< whose devices it needs
  /// `inputs` must outlive what is made. `device`: as the platform counts; `threads`: of the host. Throws
  /// Error(kPlacement) where the device has not enough memory.
  std::function<std::unique_ptr<SingleDevice>(const Inputs& inputs, int device, int threads)> make;
};

/// A reference registers itself from its own file, as carriers do.
using RegisterDeviceReference = Register<DeviceReference>;
/// Those of this build.
inline const std::deque<DeviceReference>& device_references() { return registered<DeviceReference>(); }

}  // namespace cpbench
