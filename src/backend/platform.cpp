#include "backend/platform.hpp"

#include <algorithm>
#include <utility>

namespace cpbench {
namespace {

/// A function's static, so that it exists before the first static RegisterPlatform in whichever file comes first.
std::vector<std::unique_ptr<Platform>>& registry() {
  static std::vector<std::unique_ptr<Platform>> all;
  return all;
}

}  // namespace

RegisterPlatform::RegisterPlatform(std::unique_ptr<Platform> platform) { registry().push_back(std::move(platform)); }

std::vector<const Platform*> platforms() {
  std::vector<const Platform*> found;
  for (const auto& platform : registry()) found.push_back(platform.get());
  std::stable_partition(found.begin(), found.end(), [](const Platform* p) { return p->needs_device(); });
  return found;
}

const Platform* find_platform(const std::string& name) {
  const auto all = platforms();
  const auto found = std::ranges::find_if(all, [&](const Platform* platform) { return platform->name() == name; });
  return found == all.end() ? nullptr : *found;
}

}  // namespace cpbench
