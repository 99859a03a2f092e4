// cp.async: copies of 16 bytes to shared memory that threads make for themselves.
#pragma once

#include <cstdint>

#include "thread.hpp"

namespace cpbench::vgpu {

void start_copy(Thread& thread, const CopyAsync& copy);
/// Does what groups up to `until` have left; the thread learns that they are done.
void finish_copies(Thread& thread, std::uint32_t until);
/// Does some of the thread's copies that are under way, whichever `choice` says.
void do_some_copies(Thread& thread, std::uint64_t choice);

}  // namespace cpbench::vgpu
