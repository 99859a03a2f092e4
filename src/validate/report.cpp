#include "validate/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cpbench {

std::string ValidationReport::reason() const {
  const auto not_finite = std::ranges::find_if(tensors, [](const auto& t) { return std::isnan(t.rel_l2); });
  if (not_finite != tensors.end()) return not_finite->note;
  const auto failed = std::ranges::find(tensors, false, &TensorReport::passed);
  if (failed == tensors.end()) return {};
  return fmt::format("{} differs from the reference: rel_l2 {:.2e}, worst block {:.2e}, tolerance {:.2e} ({})",
                     failed->tensor, failed->rel_l2, failed->worst_block_rel, failed->tolerance, failed->note);
}

}  // namespace cpbench
