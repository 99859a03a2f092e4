// What one device achieves in the problem's own dtype: its error against the reference says what may be expected.
#pragma once

#include <memory>

#include "validate/single_device.hpp"

namespace cpbench {

/// Sums and exponentials in fp32; probabilities, score gradients and results are rounded to the problem's dtype, each
/// once. `inputs` must outlive it.
std::unique_ptr<SingleDevice> make_low_precision(const Inputs& inputs, int threads = 1);

}  // namespace cpbench
