#include "backend/kernel.hpp"

namespace cpbench {

std::vector<std::string> kernel_names() { return registered_names<Kernel>(); }

std::unique_ptr<AttentionKernel> make_kernel(const std::string& name) {
  return find_registered<Kernel>("kernel", name).make();
}

}  // namespace cpbench
