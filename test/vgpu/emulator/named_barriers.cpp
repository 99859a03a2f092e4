#include "named_barriers.hpp"

#include "block.hpp"
#include "fault_message.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

void NamedBarriers::reset(int block_threads) {
  block_threads_ = block_threads;
  for (Barrier& barrier : barriers_) barrier = Barrier{};
}

void NamedBarriers::arrive(Thread& thread, int id, int threads, bool waits) {
  if (id < 0 || id > 15 || threads <= 0 || threads % 32 != 0 || threads > block_threads_) {
    fail(FaultKind::kMisuse,
         "barrier {} of {} threads: barriers are 0 to 15, and threads a multiple of 32, at most the block's", id,
         threads);
  }
  Barrier& barrier = barriers_[static_cast<std::size_t>(id)];
  if (barrier.arrived == 0) barrier.expected = threads;
  if (barrier.expected != threads) {
    fail(FaultKind::kMisuse, "barrier {}: this thread says that {} threads take part, others said {}", id, threads,
         barrier.expected);
  }
  block().release(thread, barrier.sync);
  ++barrier.arrived;
  if (barrier.arrived < barrier.expected) {
    if (!waits) return;
    barrier.waiting.push_back(&thread);
    suspend(fmt::format("barrier {} of {} threads", id, threads));
    return;
  }
  for (Thread* waiting : barrier.waiting) {
    block().acquire(*waiting, barrier.sync);
    wake(*waiting);
  }
  if (waits) block().acquire(thread, barrier.sync);
  barrier.sync.clear();
  barrier.waiting.clear();
  barrier.arrived = 0;
  ++barrier.completed;
}

void NamedBarriers::finish() const {
  for (std::size_t id = 0; id < barriers_.size(); ++id) {
    const Barrier& barrier = barriers_[id];
    if (barrier.arrived == 0) continue;
    fail(FaultKind::kMissedCollective, "the block ends, and {} of {} threads have arrived at barrier {}",
         barrier.arrived, barrier.expected, id);
  }
}

std::string NamedBarriers::describe() const {
  std::string text;
  for (std::size_t id = 0; id < barriers_.size(); ++id) {
    const Barrier& barrier = barriers_[id];
    if (barrier.arrived == 0 && barrier.completed == 0) continue;
    text += fmt::format("  barrier {}: {} of {} threads have arrived, completed {} times\n", id, barrier.arrived,
                        barrier.expected, barrier.completed);
  }
  return text;
}

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

using vgpu::block;
using vgpu::running_thread;

void block_sync() {
  auto& thread = running_thread();
  for (const auto& other : block().threads()) {
    if (other.state == vgpu::Thread::State::kDone) {
      vgpu::fail(vgpu::FaultKind::kMissedCollective, "block_sync needs all threads, and thread {} has exited",
                 other.index);
    }
  }
  block().named_barriers.arrive(thread, 0, static_cast<int>(block().threads().size()), true);
}

void barrier_sync(int id, int threads) { block().named_barriers.arrive(running_thread(), id, threads, true); }
void barrier_arrive(int id, int threads) { block().named_barriers.arrive(running_thread(), id, threads, false); }

}  // namespace cpbench::ptx
