#include "backend/kernel.hpp"

#include <utility>

#include "support/registry.hpp"

namespace cpbench {
namespace {

using Maker = std::function<std::unique_ptr<AttentionKernel>()>;

NamedRegistry<Maker>& registry() {
  static NamedRegistry<Maker> all("kernel");
  return all;
}

}  // namespace

RegisterKernel::RegisterKernel(const std::string& name, Maker make) { registry().add(name, std::move(make)); }

std::vector<std::string> kernel_names() { return registry().names(); }

std::unique_ptr<AttentionKernel> make_kernel(const std::string& name) { return registry().find(name)(); }

}  // namespace cpbench
