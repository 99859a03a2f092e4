#include "validate/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpbench {

std::string ValidationReport::reason() const {
  const auto failed = std::find_if(tensors.begin(), tensors.end(), [](const auto& tensor) { return !tensor.passed; });
  if (failed == tensors.end()) return {};
  return fmt::format("{} differs from the reference: rel_l2 {:.2e}, worst block {:.2e}, tolerance {:.2e} ({})",
                     failed->tensor, failed->rel_l2, failed->worst_block_rel, failed->tolerance, failed->note);
}

}  // namespace cpbench
