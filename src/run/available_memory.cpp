#include "run/available_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace cpbench {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

/// The number in a file that has nothing else; `max` and what cannot be read count as `otherwise`.
std::int64_t number_in(const fs::path& file, std::int64_t otherwise) {
  std::ifstream stream(file);
  std::int64_t value = 0;
  return stream >> value ? value : otherwise;
}

/// The number after `key` in a file of lines `key number ...`.
std::int64_t number_after(const std::string& key, const fs::path& file, std::int64_t otherwise) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string word;
    std::int64_t value = 0;
    if (words >> word >> value && word == key) return value;
  }
  return otherwise;
}

/// The files of one version of control groups.
struct ControlGroupFiles {
  fs::path root;  ///< where the hierarchy is mounted
  const char *limit, *usage;
  const char* reclaimable;  ///< key in memory.stat: file pages that are given up on demand
};

/// What the tightest limit on the way from a group up to the root leaves.
std::int64_t left_by(const ControlGroupFiles& files, fs::path group) {
  std::int64_t left = kUnlimited;
  for (group = group.relative_path();; group = group.parent_path()) {
    const fs::path directory = files.root / group;
    const std::int64_t limit = number_in(directory / files.limit, kUnlimited);
    if (limit != kUnlimited) {
      const std::int64_t used =
          number_in(directory / files.usage, 0) - number_after(files.reclaimable, directory / "memory.stat", 0);
      left = std::min(left, std::max<std::int64_t>(limit - used, 0));
    }
    if (group.empty()) return left;
  }
}

}  // namespace

std::int64_t available_memory(const fs::path& root) {
  std::int64_t available = number_after("MemAvailable:", root / "proc/meminfo", kUnlimited / 1024) * 1024;
  const ControlGroupFiles version1{root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                   "total_inactive_file"};
  const ControlGroupFiles version2{root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};

  // Lines are `id:controllers:path`; version 2 has one line, without controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") available = std::min(available, left_by(version2, group));
    if (controllers.find(",memory,") != std::string::npos) available = std::min(available, left_by(version1, group));
  }
  return available;
}

}  // namespace cpbench
