#include "mbarriers.hpp"

#include <cstdlib>

#include "block.hpp"
#include "fault_message.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kMaxArrivals = (1 << 20) - 1;
constexpr int kMaxBytes = (1 << 20) - 1;
constexpr std::size_t kBytes = 8;

}  // namespace

void Mbarriers::reset() { barriers_.clear(); }

void Mbarriers::init(Thread& thread, std::uint32_t address, int arrivals) {
  const std::size_t offset = shared_offset(address, kBytes, kBytes, "mbarrier.init");
  if (arrivals < 1 || arrivals > kMaxArrivals) fail(FaultKind::kMisuse, "mbarrier.init for {} arrivals", arrivals);
  block().shadow.write(offset, kBytes, thread.epoch, block().knowledge_of(thread));
  Mbarrier barrier;
  barrier.arrivals = barrier.pending = arrivals;
  barrier.initialised = thread.epoch;
  barriers_[address] = std::move(barrier);
}

void Mbarriers::fence(const Thread& thread) {
  for (auto& [address, barrier] : barriers_) {
    if (block().knowledge_of(thread).covers(barrier.initialised)) barrier.visible_to_copies = true;
  }
}

Mbarriers::Mbarrier& Mbarriers::find(const Thread& thread, std::uint32_t address, const char* instruction) {
  const std::size_t offset = shared_offset(address, kBytes, kBytes, instruction);
  const auto found = barriers_.find(address);
  if (found == barriers_.end()) {
    fail(FaultKind::kMisuse, "{} of shared memory + {:#x}, where no mbarrier was initialised", instruction, offset);
  }
  Mbarrier& barrier = found->second;
  if (!block().knowledge_of(thread).covers(barrier.initialised)) {
    fail(FaultKind::kRace, "{} of the mbarrier at shared memory + {:#x}: nothing orders it after mbarrier.init by {}",
         instruction, offset, block().describe_actor(actor_of(barrier.initialised)));
  }
  for (std::size_t byte = 0; byte < kBytes; byte += 2) {
    if (block().shadow.last_write(offset + byte) != barrier.initialised) {
      fail(FaultKind::kMisuse, "{}: something was written over the mbarrier at shared memory + {:#x}", instruction,
           offset);
    }
  }
  return barrier;
}

void Mbarriers::arrive(Thread& thread, std::uint32_t address, int expected_bytes) {
  Mbarrier& barrier = find(thread, address, "mbarrier.arrive");
  if (expected_bytes < 0 || expected_bytes > kMaxBytes) {
    fail(FaultKind::kMisuse, "mbarrier.arrive.expect_tx of {} bytes: at most {}", expected_bytes, kMaxBytes);
  }
  if (barrier.pending == 0) {
    fail(FaultKind::kMisuse, "the mbarrier at {:#x} has all its {} arrivals in this phase, and here is one more",
         address, barrier.arrivals);
  }
  barrier.bytes += expected_bytes;
  --barrier.pending;
  block().release(thread, barrier.current);
  advance(address, barrier);
}

void Mbarriers::wait(Thread& thread, std::uint32_t address, int parity) {
  Mbarrier& barrier = find(thread, address, "mbarrier.try_wait");
  if ((parity & ~1) != 0) fail(FaultKind::kMisuse, "mbarrier.try_wait for parity {}", parity);
  while ((barrier.phase & 1u) == static_cast<unsigned>(parity)) {
    barrier.waiting.push_back(&thread);
    suspend(fmt::format("parity {} of the mbarrier at {:#x}", parity, address));
  }
  block().acquire(thread, barrier.completed);
}

void Mbarriers::check_for_copy(const Thread& thread, std::uint32_t address) {
  if (find(thread, address, "a bulk copy's mbarrier").visible_to_copies) return;
  fail(FaultKind::kProxy,
       "the mbarrier at {:#x} is used by a bulk copy; between its mbarrier.init and that there is no "
       "fence.mbarrier_init or fence.proxy.async",
       address);
}

void Mbarriers::complete(std::uint32_t address, int bytes, int actor, Clock clock) {
  Mbarrier& barrier = barriers_.at(address);
  barrier.bytes -= bytes;
  if (std::abs(barrier.bytes) > kMaxBytes) {
    fail(FaultKind::kMisuse, "the tx-count of the mbarrier at {:#x} is {}: it must stay within {}", address,
         barrier.bytes, kMaxBytes);
  }
  Sync& sync = barrier.current;
  sync.clock.resize(static_cast<std::size_t>(block().actors().count()));
  sync.clock[static_cast<std::size_t>(actor)] = std::max(sync.clock[static_cast<std::size_t>(actor)], clock);
  advance(address, barrier);
}

void Mbarriers::advance(std::uint32_t, Mbarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  ++barrier.phase;
  barrier.pending = barrier.arrivals;
  std::swap(barrier.completed, barrier.current);
  barrier.current.clear();
  // Woken threads look at the phase again: it may have moved on before they run.
  std::vector<Thread*> waiting;
  waiting.swap(barrier.waiting);
  for (Thread* thread : waiting) wake(*thread);
}

void Mbarriers::finish() const {
  for (const auto& [address, barrier] : barriers_) {
    if (barrier.pending == barrier.arrivals && barrier.bytes == 0) continue;
    fail(FaultKind::kMissedCollective,
         "the block ends, and {} of {} arrivals and {} bytes are pending at the mbarrier at {:#x}", barrier.pending,
         barrier.arrivals, barrier.bytes, address);
  }
}

std::string Mbarriers::describe() const {
  std::string text;
  for (const auto& [address, barrier] : barriers_) {
    text += fmt::format(
        "  mbarrier at {:#x}: phase {} (parity {}), {} of {} arrivals and {} bytes pending, {} threads wait\n", address,
        barrier.phase, barrier.phase & 1u, barrier.pending, barrier.arrivals, barrier.bytes, barrier.waiting.size());
  }
  return text;
}

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

using vgpu::block;
using vgpu::running_thread;

void mbarrier_init(SharedAddress barrier, int arrivals) { block().mbarriers.init(running_thread(), barrier, arrivals); }
void fence_mbarrier_init() { block().mbarriers.fence(running_thread()); }
void mbarrier_arrive(SharedAddress barrier) { block().mbarriers.arrive(running_thread(), barrier, 0); }
void mbarrier_arrive_expect(SharedAddress barrier, int bytes) {
  block().mbarriers.arrive(running_thread(), barrier, bytes);
}
void mbarrier_wait(SharedAddress barrier, int parity) { block().mbarriers.wait(running_thread(), barrier, parity); }
void fence_proxy_async() {
  block().fence_proxy(running_thread());
  block().mbarriers.fence(running_thread());
}

}  // namespace cpbench::ptx
