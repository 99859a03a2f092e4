#include "backend/platform.hpp"

#include <algorithm>
#include <utility>

#include "support/error.hpp"

namespace cpbench {
namespace {

/// A function's static, so that it exists before the first static RegisterPlatform in whichever file comes first.
std::vector<std::unique_ptr<Platform>>& registry() {
  static std::vector<std::unique_ptr<Platform>> all;
  return all;
}

}  // namespace

std::int64_t Platform::planned_bytes(const Problem& problem, const Program& program, const BackendOptions&) const {
  return program.total_bytes(problem.batch);
}

RegisterPlatform::RegisterPlatform(std::unique_ptr<Platform> platform) { registry().push_back(std::move(platform)); }

std::vector<const Platform*> platforms() {
  std::vector<const Platform*> found;
  for (const auto& platform : registry()) found.push_back(platform.get());
  std::stable_partition(found.begin(), found.end(), [](const Platform* p) { return p->needs_device(); });
  return found;
}

const Platform& find_platform(const std::string& name) {
  std::vector<std::string> names;
  for (const Platform* platform : platforms()) {
    if (platform->name() == name) return *platform;
    names.push_back(platform->name());
  }
  refuse("--backend {} is not in this build: it has {}", name, fmt::join(names, ", "));
}

}  // namespace cpbench
