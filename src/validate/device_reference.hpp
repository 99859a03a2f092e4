// References that a device computes: what `--reference device` takes.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "validate/single_device.hpp"

namespace cpbench {

struct DeviceReference {
  std::string platform;  ///< whose devices it needs
  /// `inputs` must outlive what is made. `device`: as the platform counts; `threads`: of the host. Throws
  /// Error(kPlacement) where the device has not enough memory.
  std::function<std::unique_ptr<SingleDevice>(const Inputs& inputs, int device, int threads)> make;
};

/// A reference registers itself from its own file, as carriers do.
class RegisterDeviceReference {
 public:
  explicit RegisterDeviceReference(DeviceReference reference);
};
/// Those of this build.
std::span<const DeviceReference> device_references();

}  // namespace cpbench
