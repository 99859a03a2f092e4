#include "block.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "arena.hpp"
#include "copy_async.hpp"
#include "fault_message.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

Block the_block;

void Block::prepare(const LaunchShape& shape, const KernelCall& call, int index) {
  const auto threads = static_cast<std::size_t>(shape.threads);
  call_ = &call;
  index_ = index;
  actors_ = {shape.threads, shape.threads / 32};
  shared_end_ = kDynamicSharedBegin + static_cast<std::size_t>(shape.shared_bytes);
  position = {0, shape.threads, index, shape.blocks};

  const auto entries = static_cast<std::size_t>(actors_.count()), generic = static_cast<std::size_t>(actors_.generic());
  clocks_.assign(threads * entries, 0);
  visible_.assign(threads * generic, 0);
  proxies_fenced_ = false;
  threads_.resize(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    Thread& thread = threads_[i];
    thread.index = static_cast<int>(i);
    thread.warp = thread.index / 32;
    thread.lane = thread.index % 32;
    thread.clock = clocks_.data() + i * entries;
    thread.visible = visible_.data() + i * generic;
    thread.clock[i] = 1;
    thread.epoch = make_epoch(thread.index, 1);
    thread.registers.in_flight.clear();
    thread.registers.fence = 0;
    thread.copies.clear();
    thread.copy_group = 1;
    thread.bulk_group = 0;
  }
  warps_.assign(threads / 32, Warp{});
  for (std::size_t i = 0; i < warps_.size(); ++i) warps_[i].index = static_cast<int>(i);

  std::memset(kSharedMemory.at(kDynamicSharedBegin), kGarbage, static_cast<std::size_t>(shape.shared_bytes));
  shadow.reset(kDynamicSharedBegin, shared_end_);
  named_barriers.reset(shape.threads);
  mbarriers.reset();
  bulk_copies.reset();
  register_pool.reset(shape.threads);
  wgmma.assign(warps_.size(), WgmmaQueue{});
  warpgroup_logs.assign(warps_.size() / 4, WarpgroupLog{});
}

void Block::run(const LaunchShape& shape, const KernelCall& call, int index) {
  prepare(shape, call, index);
  scheduler().run(threads_, run_thread, idle, meanwhile);
  finish();
}

void Block::run_thread() {
  the_block.call_->run();
  the_block.check_exit(running_thread());
}

/// Nobody may wait for a thread that has gone.
void Block::check_exit(const Thread& thread) const {
  const Warp& warp = warps_[static_cast<std::size_t>(thread.warp)];
  if (warp.arrived > 0) {
    fail(FaultKind::kMissedCollective, "thread {} exits while {} lanes of its warp wait for it at {}", thread.index,
         warp.arrived, warp.instruction);
  }
  if (named_barriers.waiting_for_all() > 0) {
    fail(FaultKind::kMissedCollective, "thread {} exits while {} threads wait for it at block_sync", thread.index,
         named_barriers.waiting_for_all());
  }
}

void Block::finish() {
  bulk_copies.finish();
  for (std::size_t warp = 0; warp < wgmma.size(); ++warp) {
    const std::size_t first = warp / 4 * 4;
    if (wgmma[warp].issued() == wgmma[first].issued()) continue;
    fail(FaultKind::kMissedCollective, "warp {} has issued {} wgmma, warp {} of the same warpgroup {}", warp,
         wgmma[warp].issued(), first, wgmma[first].issued());
  }
  named_barriers.finish();
  mbarriers.finish();
}

void Block::idle() {
  if (the_block.bulk_copies.advance_one()) return;
  fail(FaultKind::kDeadlock, "no thread can go on\n{}", the_block.describe());
}

void Block::meanwhile() {
  auto& random = scheduler().random();
  Block& self = the_block;
  switch (random() % 3) {
    case 0:
      self.bulk_copies.advance_one();
      break;
    case 1:
      self.wgmma[random() % self.wgmma.size()].advance_one();
      break;
    default:
      do_some_copies(self.threads_[random() % self.threads_.size()], random());
  }
}

void Block::release(Thread& thread, Sync& sync) {
  sync.clock.resize(static_cast<std::size_t>(actors_.count()));
  join(sync.clock.data(), thread.clock, actors_.count());
  if (proxies_fenced_) {
    sync.visible.resize(static_cast<std::size_t>(actors_.generic()));
    join(sync.visible.data(), thread.visible, actors_.generic());
  }
  Clock& own = thread.clock[thread.index];
  if (++own > kLastClock) fail(FaultKind::kMisuse, "thread {} synchronises too often for the emulator", thread.index);
  thread.epoch = make_epoch(thread.index, own);
}

void Block::acquire(Thread& thread, const Sync& sync) {
  join(thread.clock, sync.clock.data(), static_cast<int>(sync.clock.size()));
  join(thread.visible, sync.visible.data(), static_cast<int>(sync.visible.size()));
}

void Block::learn(Thread& thread, int actor, Clock clock) {
  thread.clock[actor] = std::max(thread.clock[actor], clock);
}

void Block::fence_proxy(Thread& thread) {
  proxies_fenced_ = true;
  join(thread.visible, thread.clock, actors_.generic());
  // What the thread does from now on is not fenced.
  Sync nobody;
  release(thread, nobody);
}

std::string Block::describe_actor(int actor) const {
  if (actor < actors_.threads) return fmt::format("thread {}", actor);
  if (actor < actors_.generic()) return fmt::format("cp.async of thread {}", actor - actors_.threads);
  if (actor < actors_.wgmma(0)) return "a bulk copy";
  if (actor < actors_.warpgroup(0)) return fmt::format("wgmma of warp {}", actor - actors_.wgmma(0));
  return fmt::format("wgmma of warpgroup {}", actor - actors_.warpgroup(0));
}

std::string Block::describe() const {
  // Threads that wait for the same, as ranges.
  std::map<std::string, std::string> waiting;
  for (std::size_t i = 0; i < threads_.size();) {
    std::size_t end = i + 1;
    const auto what = [&](std::size_t j) {
      return threads_[j].state == Thread::State::kDone ? std::string("nothing, they have exited")
                                                       : threads_[j].waits_for;
    };
    while (end < threads_.size() && what(end) == what(i)) ++end;
    waiting[what(i)] += end == i + 1 ? fmt::format(" {}", i) : fmt::format(" {}-{}", i, end - 1);
    i = end;
  }
  std::string text;
  for (const auto& [what, who] : waiting) text += fmt::format("  wait for {}: threads{}\n", what, who);
  return text + named_barriers.describe() + mbarriers.describe();
}

Thread& running_thread() {
  Thread* const thread = scheduler().running();
  if (thread == nullptr) fail(FaultKind::kMisuse, "an instruction of the GPU outside of a kernel");
  return *thread;
}

void suspend(std::string what) {
  running_thread().waits_for = std::move(what);
  scheduler().suspend();
}

void wake(Thread& thread) { scheduler().wake(thread); }

}  // namespace cpbench::vgpu
