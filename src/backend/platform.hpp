// What programs can run on: the CPU, and what else this build and this machine have.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "backend/device_monitor.hpp"
#include "support/registry.hpp"

namespace cpbench {

/// A device that ranks are bound to, if it has a kernel.
struct DeviceInfo {
  std::string name;                  ///< that it gives itself
  std::string uuid;                  ///< the same for whoever sees it
  std::string bus_id;                ///< on the PCI bus, `0000:1b:00.0`
  std::vector<std::string> kernels;  ///< what attention kernels it can run, the best first
  std::string obstacle;              ///< why it has none; empty where it has
};

struct BackendOptions {
  std::string kernel;
  int threads = 1;
  int device = 0;  ///< index into Platform::devices
  bool graphs = true;
  int reserved_multiprocessors = 0;  ///< left to communication
};

/// What can make backends. One object for each, for the whole process.
class Platform {
 public:
  virtual ~Platform() = default;
  virtual std::string name() const = 0;  ///< what `--backend` calls it
  /// Devices that this process sees, usable or not. The CPU has none: its cores are the launcher's business.
  virtual std::vector<DeviceInfo> devices() const { return {}; }
  /// Why it cannot be used on this machine; empty where it can.
  virtual std::string obstacle() const { return ""; }
  virtual bool needs_device() const { return false; }
  /// What a rank's program takes of the memory that its buffers are in, known before any is allocated: the buffers, and
  /// what operations need beside them. `options.kernel` may be empty: the best one.
  virtual std::int64_t planned_bytes(const Problem& problem, const Program& program,
                                     const BackendOptions& options) const;
  /// Memory of a device that can still be allocated.
  virtual std::int64_t available_bytes(int /*device*/) const { return 0; }
  /// What one rank can do at most, in FLOP/s, for tensors of this storage type: measured, or by the device's own
  /// figures (docs/results-format.md); nothing where neither is known.
  virtual std::optional<double> peak_flops(DType dtype, const BackendOptions& options) const = 0;
  /// Of the runtime that was built in and of the driver that was found; empty where it has none.
  virtual std::string runtime_version() const { return ""; }
  virtual std::string driver_version() const { return ""; }
  /// Watches a device; null where nothing is known of it.
  virtual std::unique_ptr<DeviceMonitor> monitor(const DeviceInfo& /*device*/) const { return nullptr; }
  virtual std::unique_ptr<Backend> make(const BackendOptions& options) const = 0;
};

/// A platform registers itself from its own file, as kernels do.
using RegisterPlatform = Register<std::unique_ptr<Platform>>;
/// Those of this build; with devices first.
std::vector<const Platform*> platforms();
/// Throws a usage error for a name that this build does not have.
const Platform& find_platform(std::string_view name);

}  // namespace cpbench
