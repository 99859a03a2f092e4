// setmaxnreg: how a block's warps divide its registers.
//
// PTX ISA: a multiple of 8 from 24 to 256; `dec` releases registers to the block's pool, `inc` waits until the pool has
// enough. The block's registers are those with which it was launched. Assumed: 64 Ki registers divided by the block's
// threads, rounded down to a multiple of 8, at most 256: what launch bounds of one block per SM let the compiler use.
#pragma once

#include <vector>

#include "thread.hpp"

namespace cpbench::vgpu {

class RegisterPool {
 public:
  void reset(int threads);
  void set(Thread& thread, int registers, bool raise);

 private:
  std::vector<int> of_thread_;
  int free_ = 0;
  std::vector<Thread*> waiting_;
};

}  // namespace cpbench::vgpu
