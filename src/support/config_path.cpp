#include "support/config_path.hpp"

#include <fmt/ranges.h>

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

std::vector<std::filesystem::path> shipped_candidates(const std::filesystem::path& relative) {
  std::vector<std::filesystem::path> candidates;
  if (relative.is_absolute()) return candidates;
  for (const auto& directory : config_directories()) candidates.push_back((directory / relative).lexically_normal());
  return candidates;
}

/// `extension`: what candidates may lack.
std::filesystem::path first_existing(std::string_view name, const std::vector<std::filesystem::path>& candidates,
                                     const std::string& extension = "") {
  std::vector<std::string> tried;
  for (const std::filesystem::path& candidate : candidates) {
    for (const std::string& path : {candidate.string(), candidate.string() + extension}) {
      std::error_code unreadable;
      if (std::filesystem::exists(path, unreadable)) return path;
    }
    tried.push_back(candidate.string() + (extension.empty() ? "" : "[" + extension + "]"));
  }
  const bool is_absolute = std::filesystem::path(name).is_absolute();
  refuse("the config \"{}\" was not found: there is no {}; name a file that exists{}", name, fmt::join(tried, ", no "),
         is_absolute ? "" : ", or set CPBENCH_CONFIG_DIR to the directory that holds it");
}

}  // namespace

std::filesystem::path find_config(std::string_view relative) {
  return first_existing(relative, shipped_candidates(relative));
}

std::filesystem::path find_given_config(const std::filesystem::path& path) {
  std::error_code unreadable;
  if (std::filesystem::exists(path, unreadable)) return path;
  std::vector<std::filesystem::path> candidates = shipped_candidates(path);
  candidates.insert(candidates.begin(), std::filesystem::absolute(path, unreadable).lexically_normal());
  return first_existing(path.string(), candidates, path.extension() == ".json" ? "" : ".json");
}

}  // namespace cpbench
