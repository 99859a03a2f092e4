// What the host computes by itself: the reference, and what one device may be expected to achieve. Neither shares code
// with tiles, programs or backends.
#pragma once

#include <memory>

#include "validate/single_device.hpp"

namespace cpbench {

/// The reference: the same formulas in fp64, nothing rounded. `inputs` must outlive it. Relative error about 1e-15
/// times the root of the number of keys.
std::unique_ptr<SingleDevice> make_reference(const Inputs& inputs, int threads = 1);

/// What one device achieves in the problem's own dtype: its error against the reference says what may be expected. Sums
/// and exponentials in fp32; probabilities, score gradients and results are rounded to the problem's dtype, each once.
/// `inputs` must outlive it.
std::unique_ptr<SingleDevice> make_low_precision(const Inputs& inputs, int threads = 1);

}  // namespace cpbench
