#include "validate/device_reference.hpp"

#include <utility>
#include <vector>

namespace cpbench {
namespace {

/// A function's static, so that it exists before the first static RegisterDeviceReference in whichever file comes
/// first.
std::vector<DeviceReference>& registry() {
  static std::vector<DeviceReference> all;
  return all;
}

}  // namespace

RegisterDeviceReference::RegisterDeviceReference(DeviceReference reference) {
  registry().push_back(std::move(reference));
}

std::span<const DeviceReference> device_references() { return registry(); }

}  // namespace cpbench
