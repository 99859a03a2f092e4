// Which device a rank uses: by its rank on the node, mistakes refused.
#pragma once

#include <optional>
#include <string>

#include "backend/platform.hpp"
#include "run/placement.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// What `--backend` comes to on this job.
struct DeviceBinding {
  const Platform* platform;
  int device = 0;                     ///< index into the platform's devices
  std::optional<DeviceInfo> info;     ///< of a platform that has devices
  std::string note;                   ///< why `auto` took another one; empty where there is nothing to say
  std::vector<std::string> left_out;  ///< on rank 0: devices of the job that no rank can use, and why
};

/// Collective. `asked`: a platform's name, or `auto`: the first that all ranks can use. A process that sees one device
/// takes it, others take that of their local rank among those that can be used. Throws a usage error for a platform
/// that this build does not have, and Error(kPlacement), on all ranks, where one cannot be used, where a node has fewer
/// devices than ranks, and where two ranks have one device; with `allow_shared` they share them in turns.
DeviceBinding bind_device(const Communicator& world, const Placement& placement, const std::string& asked,
                          bool allow_shared);

/// Collective. As require_memory of placement.hpp, of what the buffers of `ranks` are in: their devices' memory, or
/// their nodes' where they have no device.
void require_memory(const Communicator& ranks, const DeviceBinding& binding, const MemoryPlan& plan);

/// CPUs of the process's mask that are near a PCI device, by what the kernel says of it below `root`; all of them where
/// it says nothing.
std::vector<int> near_cpus(const std::string& bus_id, const std::vector<int>& allowed,
                           const std::filesystem::path& root = "/");
/// From now on the process's thread, and those that it starts, run on these CPUs.
void use_cpus(const std::vector<int>& cpus);

}  // namespace cpbench
