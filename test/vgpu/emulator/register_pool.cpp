#include "register_pool.hpp"

#include <algorithm>

#include "block.hpp"
#include "collective.hpp"
#include "fault_message.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

void RegisterPool::reset(int threads) {
  constexpr int kRegisters = 64 << 10;
  of_thread_.assign(static_cast<std::size_t>(threads), std::min(256, kRegisters / threads / 8 * 8));
  free_ = 0;
  waiting_.clear();
}

void RegisterPool::set(Thread& thread, int registers, bool raise) {
  int& own = of_thread_[static_cast<std::size_t>(thread.index)];
  const bool right_way = raise ? registers >= own : registers <= own;
  if (registers % 8 != 0 || registers < 24 || registers > 256 || !right_way) {
    fail(FaultKind::kMisuse, "setmaxnreg.{} {}: a multiple of 8 from 24 to 256, and this thread has {}",
         raise ? "inc" : "dec", registers, own);
  }
  while (registers - own > free_) {
    waiting_.push_back(&thread);
    suspend(fmt::format("setmaxnreg.inc {} with {} and {} in the pool", registers, own, free_));
  }
  free_ -= registers - own;
  own = registers;
  std::vector<Thread*> waiting;
  if (!raise) waiting.swap(waiting_);
  for (Thread* other : waiting) wake(*other);
}

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

void set_registers(int registers, bool raise) {
  vgpu::warp_collective(
      raise ? "setmaxnreg.inc" : "setmaxnreg.dec", registers, [](vgpu::Warp&, const std::array<int*, 32>& lanes) {
        for (const int* lane : lanes) {
          if (*lane != *lanes[0])
            vgpu::fail(vgpu::FaultKind::kMisuse, "setmaxnreg of {} and {} in one warp", *lane, *lanes[0]);
        }
      });
  vgpu::block().register_pool.set(vgpu::running_thread(), registers, raise);
}

}  // namespace cpbench::ptx
