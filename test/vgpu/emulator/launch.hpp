// Runs a launch.
#pragma once

#include "vgpu/kernel_call.hpp"

namespace cpbench::vgpu {

/// All blocks, one after the other, in the order that the settings allow. The operation that the launch is must have
/// begun.
void run_launch(const LaunchShape& shape, const KernelCall& call);

}  // namespace cpbench::vgpu
