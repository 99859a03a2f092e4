#include "backend/platform.hpp"

#include <algorithm>

#include "support/error.hpp"

namespace cpbench {

std::int64_t Platform::planned_bytes(const Problem& problem, const Program& program, const BackendOptions&) const {
  return program.total_bytes(problem.batch);
}

std::vector<const Platform*> platforms() {
  std::vector<const Platform*> found;
  for (const auto& platform : registered<std::unique_ptr<Platform>>()) found.push_back(platform.get());
  std::stable_partition(found.begin(), found.end(), [](const Platform* p) { return p->needs_device(); });
  return found;
}

const Platform& find_platform(std::string_view name) {
  std::vector<std::string> names;
  for (const Platform* platform : platforms()) {
    if (platform->name() == name) return *platform;
    names.push_back(platform->name());
  }
  refuse("--backend {} is not in this build: it has {}", name, fmt::join(names, ", "));
}

}  // namespace cpbench
