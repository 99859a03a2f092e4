#include "run/device_binding.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "support/error.hpp"
#include "support/names.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

[[noreturn]] void refuse_placement(const std::string& message) { throw Error(ExitCode::kPlacement, message); }

const Platform& choose_platform(const Communicator& world, const std::string& asked, std::string& note) {
  if (asked != "auto") {
    const Platform& platform = find_platform(asked);
    const std::string obstacle = world.first_nonempty(platform.obstacle());
    if (!obstacle.empty()) refuse_placement(fmt::format("--backend {}: {}", asked, obstacle));
    return platform;
  }
  for (const Platform* platform : platforms()) {
    const std::string obstacle = world.first_nonempty(platform->obstacle());
    if (obstacle.empty()) return *platform;
    note += fmt::format("{}{}", note.empty() ? "" : "; ", obstacle);
  }
  refuse_placement("no backend can be used: " + note);
}

/// Indices of those that can be used.
std::vector<int> usable(const std::vector<DeviceInfo>& devices) {
  std::vector<int> found;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].obstacle.empty()) found.push_back(static_cast<int>(i));
  }
  return found;
}

/// What ranks see and cannot use, each device once, on rank 0.
std::vector<std::string> left_out(const Communicator& world, const Placement& placement,
                                  const std::vector<DeviceInfo>& devices) {
  std::string mine;
  for (const DeviceInfo& device : devices) {
    if (!device.obstacle.empty()) mine += fmt::format("left out on {}: {}\n", placement.host, device.obstacle);
  }
  std::vector<std::string> all;
  for (const std::string& text : world.gather(mine)) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (std::ranges::find(all, line) == all.end()) all.push_back(line);
    }
  }
  return all;
}

/// Those of `ranks` that have this one's device.
Communicator sharers_of(const Communicator& ranks, const std::string& uuid) {
  const Communicator node = ranks.node();
  const std::vector<std::string> all = node.allgatherv(uuid);
  return node.split(static_cast<int>(std::ranges::find(all, uuid) - all.begin()));
}

}  // namespace

DeviceBinding bind_device(const Communicator& world, const Placement& placement, const std::string& asked,
                          bool allow_shared) {
  DeviceBinding binding{};
  binding.platform = &choose_platform(world, asked, binding.note);
  if (!binding.platform->needs_device()) return binding;
  const std::vector<DeviceInfo> devices = binding.platform->devices();
  binding.left_out = left_out(world, placement, devices);
  const std::vector<int> candidates = usable(devices);
  const int count = static_cast<int>(candidates.size());
  std::string complaint;
  if (count > 1 && placement.local_rank >= count && !allow_shared) {
    complaint = fmt::format("{} ranks on {} for {} usable GPUs: start one rank per GPU, or pass --allow-shared-gpu",
                            placement.local_size, placement.host, count);
  }
  binding.device = candidates[static_cast<std::size_t>(placement.local_rank % count)];
  binding.info = devices[static_cast<std::size_t>(binding.device)];
  const int sharers = sharers_of(world, binding.info->uuid).size();
  if (complaint.empty() && sharers > 1 && !allow_shared) {
    complaint = fmt::format("{} ranks on {} share {}: give each a GPU of its own, or pass --allow-shared-gpu", sharers,
                            placement.host, binding.info->uuid);
  }
  complaint = world.first_nonempty(complaint);
  if (!complaint.empty()) refuse_placement(complaint);
  return binding;
}

void require_memory(const Communicator& ranks, const DeviceBinding& binding, const MemoryPlan& plan) {
  if (!binding.info) return require_memory(ranks.node(), plan);
  require_memory(sharers_of(ranks, binding.info->uuid), plan, binding.platform->available_bytes(binding.device),
                 binding.info->uuid);
}

std::vector<int> near_cpus(const std::string& bus_id, const std::vector<int>& allowed,
                           const std::filesystem::path& root) {
  std::string name = bus_id;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::ifstream file(root / "sys/bus/pci/devices" / name / "local_cpulist");
  std::string list;
  std::getline(file, list);
  std::vector<int> near;
  for (const std::string_view range : split(list, ',')) {
    int first = 0, last = 0;
    const int read = std::sscanf(std::string(range).c_str(), "%d-%d", &first, &last);
    if (read < 1) continue;
    for (int cpu = first; cpu <= (read == 2 ? last : first); ++cpu) {
      if (std::ranges::binary_search(allowed, cpu)) near.push_back(cpu);
    }
  }
  return near.empty() ? allowed : near;
}

void use_cpus(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  const auto capacity = static_cast<std::size_t>(cpus.back()) + 1;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(capacity), [](cpu_set_t* s) { CPU_FREE(s); });
  const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
  CPU_ZERO_S(bytes, set.get());
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set.get());
  sched_setaffinity(0, bytes, set.get());  // what the kernel refuses is no loss but of speed
}

}  // namespace cpbench
