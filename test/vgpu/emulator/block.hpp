// The block that runs: its threads, its shared memory, and who knows what of whom.
//
// There is one, and it is used again for every block of every launch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bulk_copies.hpp"
#include "clocks.hpp"
#include "knowledge.hpp"
#include "mbarriers.hpp"
#include "named_barriers.hpp"
#include "register_pool.hpp"
#include "scheduler.hpp"
#include "shared_shadow.hpp"
#include "sync.hpp"
#include "thread.hpp"
#include "vgpu/kernel_call.hpp"
#include "wgmma_queue.hpp"

namespace cpbench::vgpu {

/// Where dynamic shared memory begins: the first 1,024 bytes are the system's, as on sm_80 and later.
inline constexpr std::size_t kDynamicSharedBegin = 1024;

class Block {
 public:
  /// Runs one block of a launch from begin to end.
  void run(const LaunchShape& shape, const KernelCall& call, int index);

  const Actors& actors() const { return actors_; }
  std::vector<Thread>& threads() { return threads_; }
  Warp& warp_of(const Thread& thread) { return warps_[static_cast<std::size_t>(thread.warp)]; }
  Thread& lane(const Warp& warp, int lane) { return threads_[static_cast<std::size_t>(warp.index * 32 + lane)]; }
  const KernelCall* call() const { return call_; }
  int index() const { return index_; }
  std::size_t shared_end() const { return shared_end_; }

  /// What the thread did until now is before what others do after they acquire `sync`.
  void release(Thread& thread, Sync& sync);
  void acquire(Thread& thread, const Sync& sync);
  /// The thread learns that an asynchronous actor is done up to a clock.
  static void learn(Thread& thread, int actor, Clock clock);
  ThreadKnowledge knowledge_of(const Thread& thread) const { return {actors_, thread.clock}; }
  AsyncKnowledge async_knowledge_of(const Thread& thread) const { return {knowledge_of(thread), thread.visible}; }
  /// fence.proxy.async.
  void fence_proxy(Thread& thread);

  /// `thread 3`, `the cp.async of thread 3`, ...
  std::string describe_actor(int actor) const;
  /// What every thread waits for and the state of every barrier.
  std::string describe() const;

  SharedShadow shadow;
  NamedBarriers named_barriers;
  Mbarriers mbarriers;
  BulkCopies bulk_copies;
  std::vector<WgmmaQueue> wgmma;             ///< one per warp
  std::vector<WarpgroupLog> warpgroup_logs;  ///< one per four warps
  RegisterPool register_pool;

 private:
  void prepare(const LaunchShape& shape, const KernelCall& call, int index);
  void finish();
  void check_exit(const Thread& thread) const;
  static void run_thread();
  static void idle();
  static void meanwhile();

  Actors actors_;
  const KernelCall* call_ = nullptr;
  int index_ = 0;
  std::size_t shared_end_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<Clock> clocks_, visible_;  ///< the vectors of all threads
  bool proxies_fenced_ = false;          ///< somebody passed fence.proxy.async, so that visibility must be followed
};

extern Block the_block;
inline Block& block() { return the_block; }
/// The thread that runs. Raises a fault outside of kernels.
Thread& running_thread();
/// By the running thread: waits until woken. `what` is for the report of a deadlock.
void suspend(std::string what);
void wake(Thread& thread);

/// The offset in shared memory of a 32-bit shared address that an instruction was given, which must be aligned and in
/// the window.
std::size_t shared_offset(std::uint32_t address, std::size_t bytes, std::size_t alignment, const char* instruction);

}  // namespace cpbench::vgpu
