#include "backend/kernel.hpp"

#include <map>
#include <stdexcept>
#include <utility>

#include "support/names.hpp"

namespace cpbench {
namespace {

using Maker = std::function<std::unique_ptr<AttentionKernel>()>;

/// A function's static, so that it exists before the first static RegisterKernel in whichever file comes first.
std::map<std::string, Maker>& registry() {
  static std::map<std::string, Maker> kernels;
  return kernels;
}

}  // namespace

RegisterKernel::RegisterKernel(std::string name, Maker make) {
  if (!registry().emplace(name, std::move(make)).second) {
    throw std::logic_error("two attention kernels are named '" + name + "'");
  }
}

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : registry()) names.push_back(name);
  return names;
}

std::unique_ptr<AttentionKernel> make_kernel(const std::string& name) {
  const auto found = registry().find(name);
  if (found != registry().end()) return found->second();
  refuse_unknown("kernel", name, kernel_names());
}

}  // namespace cpbench
