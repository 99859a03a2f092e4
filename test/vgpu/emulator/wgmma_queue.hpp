// wgmma.mma_async.
//
// PTX ISA: all warps of a warpgroup must execute the same wgmma; it works through the asynchronous proxy; wgmma.fence
// orders accesses to registers before it, and is needed first of all and after every access to registers other than
// accumulators of wgmma of the same shape; wait_group waits until at most N of the youngest groups are unfinished.
//
// Assumed: wait_group is about the wgmma of the warp that executes it, so that what one warp waited for tells nothing
// of the other three.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "clocks.hpp"
#include "thread.hpp"
#include "vgpu/ptx.hpp"
#include "wgmma_execute.hpp"

namespace cpbench::vgpu {

/// The wgmma of one warp.
class WgmmaQueue {
 public:
  void issue(const Warp& warp, const std::array<ptx::WgmmaArguments*, 32>& lanes);
  void commit() { groups_.push_back(issued_); }
  /// Does what groups older than the `pending` youngest have left; all lanes learn that it is done.
  void wait(const Warp& warp, int pending);
  /// Does the oldest that is under way. False where there is none.
  bool advance_one();
  Clock issued() const { return issued_; }

 private:
  static void check_memory(const Warp& warp, const WgmmaOperation& operation);

  Clock issued_ = 0, executed_ = 0;
  std::deque<WgmmaOperation> under_way_;  ///< not waited for, the oldest first
  std::deque<Clock> groups_;              ///< the last wgmma of each closed group that nobody waited for
};

/// That the four warps of a warpgroup issue the same.
class WarpgroupLog {
 public:
  void check(const Warp& warp, Clock clock, const ptx::WgmmaArguments& arguments);

 private:
  std::vector<ptx::WgmmaArguments> issued_;  ///< by the warp that is furthest, from clock 1 on
};

}  // namespace cpbench::vgpu
