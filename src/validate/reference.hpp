// The reference on the host: the same formulas in fp64, nothing rounded. It shares no code with tiles, programs or
// backends.
#pragma once

#include <memory>

#include "validate/single_device.hpp"

namespace cpbench {

/// `inputs` must outlive it. Relative error about 1e-15 times the root of the number of keys.
std::unique_ptr<SingleDevice> make_reference(const Inputs& inputs, int threads = 1);

}  // namespace cpbench
