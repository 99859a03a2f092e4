#include "support/config_path.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "support/error.hpp"

namespace cpbench {
namespace {

std::vector<std::filesystem::path> config_directories() {
  std::vector<std::filesystem::path> directories;
  if (const char* chosen = std::getenv("CPBENCH_CONFIG_DIR"); chosen != nullptr && *chosen != '\0') {
    directories.emplace_back(chosen);
  }
  directories.emplace_back(CPBENCH_SOURCE_CONFIG_DIR);
  std::error_code unreadable;  // without /proc there is no third place
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  if (!unreadable) directories.push_back(executable.parent_path().parent_path() / "share/cpbench/configs");
  return directories;
}

}  // namespace

std::filesystem::path find_config(std::string_view relative) {
  std::string searched;
  for (const auto& directory : config_directories()) {
    std::filesystem::path candidate = directory / relative;
    std::error_code unreadable;
    if (std::filesystem::exists(candidate, unreadable)) return candidate;
    searched += (searched.empty() ? "" : ", ") + directory.string();
  }
  refuse("the config \"{}\" was not found in {}; set CPBENCH_CONFIG_DIR to the directory that holds it", relative,
         searched);
}

}  // namespace cpbench
