// Faults to plant where no argument can: a wait, and the loading of kernels, that the code forgets.
#pragma once

namespace cpbench::vgpu {

/// Of the waits for events that are queued from now on the one after `waits` others is left out, though the caller is
/// told that all is well; with a negative number none is.
void forget_wait_after(int waits);
/// Waits queued since.
int waits_queued();

/// As if no kernel had been loaded or launched.
void forget_loaded_kernels();

}  // namespace cpbench::vgpu
