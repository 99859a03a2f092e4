#include "wgmma_queue.hpp"

#include <algorithm>

#include "block.hpp"
#include "collective.hpp"
#include "fault_message.hpp"
#include "wgmma_execute.hpp"

namespace cpbench::vgpu {
namespace {

std::uintptr_t begin_of(const void* registers) { return reinterpret_cast<std::uintptr_t>(registers); }

/// Registers that the thread touched must have been fenced since.
void check_fenced(const Thread& thread, std::uintptr_t begin, std::uintptr_t end, const char* what) {
  if (thread.registers.fence == 0) fail(FaultKind::kRegister, "wgmma without a wgmma.fence before the first one");
  if (!kStacks.contains(begin)) fail(FaultKind::kMisuse, "wgmma: {} must be local variables", what);
  for (std::uintptr_t address = begin; address < end; address += 4) {
    if (register_stamp(address) < thread.registers.fence) continue;
    fail(FaultKind::kRegister, "wgmma of thread {}: {} {} was touched after the last wgmma.fence", thread.index, what,
         (address - begin) / 4);
  }
}

/// From now on the thread must not touch them; wgmma that use the same ones may follow each other.
void use_registers(Thread& thread, const void* registers, int count, const char* what) {
  const std::uintptr_t begin = begin_of(registers), end = begin + static_cast<std::uintptr_t>(count) * 4;
  for (auto& use : thread.registers.in_flight) {
    if (begin >= use.end || use.begin >= end) continue;
    if (use.begin != begin || use.end != end) {
      fail(FaultKind::kRegister, "wgmma with registers of which some are those of another that is in flight");
    }
    ++use.uses;
    return;
  }
  check_fenced(thread, begin, end, what);
  thread.registers.in_flight.push_back({begin, end, 1});
}

void return_registers(Thread& thread, const void* registers) {
  auto& uses = thread.registers.in_flight;
  const auto use =
      std::find_if(uses.begin(), uses.end(), [&](const auto& u) { return u.begin == begin_of(registers); });
  if (--use->uses == 0) uses.erase(use);
}

/// What all lanes of a warp know, for an access that the warp makes through the asynchronous proxy.
struct WarpKnowledge {
  const Warp& warp;

  bool covers(Epoch epoch) const {
    return all([&](const AsyncKnowledge& lane) { return lane.covers(epoch); });
  }
  bool is_ordered(Epoch epoch) const {
    return all([&](const AsyncKnowledge& lane) { return lane.is_ordered(epoch); });
  }

 private:
  template <typename Predicate>
  bool all(Predicate&& predicate) const {
    for (int lane = 0; lane < 32; ++lane) {
      if (!predicate(block().async_knowledge_of(block().lane(warp, lane)))) return false;
    }
    return true;
  }
};

bool same(const ptx::WgmmaArguments& x, const ptx::WgmmaArguments& y) {
  const bool same_a = (x.a_registers == nullptr) == (y.a_registers == nullptr) && x.a == y.a && x.major_a == y.major_a;
  return x.type == y.type && x.n == y.n && same_a && x.b == y.b && x.major_b == y.major_b &&
         x.accumulate == y.accumulate;
}

}  // namespace

void WarpgroupLog::check(const Warp& warp, Clock clock, const ptx::WgmmaArguments& arguments) {
  if (clock > issued_.size()) {
    issued_.push_back(arguments);
  } else if (!same(issued_[clock - 1], arguments)) {
    fail(FaultKind::kMissedCollective, "wgmma {} of warp {} is not that of the other warps of its warpgroup", clock,
         warp.index);
  }
}

void WgmmaQueue::issue(const Warp& warp, const std::array<ptx::WgmmaArguments*, 32>& lanes) {
  const ptx::WgmmaArguments& arguments = *lanes[0];
  const auto group = static_cast<std::size_t>(warp.index) / 4;
  if (group >= block().warpgroup_logs.size()) {
    fail(FaultKind::kMisuse, "wgmma in warp {}: its warpgroup has less than four warps", warp.index);
  }
  if (arguments.n % 8 != 0 || arguments.n < 8 || arguments.n > 256)
    fail(FaultKind::kMisuse, "wgmma with N {}", arguments.n);
  block().warpgroup_logs[group].check(warp, ++issued_, arguments);

  WgmmaOperation operation{};
  operation.warp = warp.index;
  operation.type = arguments.type;
  operation.n = arguments.n;
  operation.accumulate = arguments.accumulate;
  operation.a_in_registers = arguments.a_registers != nullptr;
  if (!operation.a_in_registers) operation.a = decode_descriptor(arguments.a, arguments.major_a, "a");
  operation.b = decode_descriptor(arguments.b, arguments.major_b, "b");
  operation.clock = issued_;
  for (int lane = 0; lane < 32; ++lane) {
    const ptx::WgmmaArguments& own = *lanes[lane];
    if (!same(own, arguments))
      fail(FaultKind::kMisuse, "wgmma with different arguments in lanes 0 and {} of warp {}", lane, warp.index);
    Thread& thread = block().lane(warp, lane);
    use_registers(thread, own.d, own.n / 2, "accumulator");
    operation.d[lane] = own.d;
    if (!operation.a_in_registers) continue;
    use_registers(thread, own.a_registers, 4, "register of A");
    operation.a_source[lane] = own.a_registers;
    std::copy_n(own.a_registers, 4, operation.a_registers[lane].begin());
  }
  check_memory(warp, operation);
  under_way_.push_back(operation);
  if (scheduler().settings().order == Order::kEager) advance_one();
}

void WgmmaQueue::check_memory(const Warp& warp, const WgmmaOperation& operation) {
  const Actors& actors = block().actors();
  const Epoch common = make_epoch(actors.warpgroup(warp.index / 4), operation.clock);
  const WarpKnowledge knowledge{warp};
  const auto read = [&](int, int, std::uint32_t address) {
    block().shadow.read(shared_offset(address, 16, 16, "an operand of wgmma"), 16, common, knowledge);
  };
  // Nothing says that a warp reads those rows of A alone that its results come from.
  for (int first = 0; first < 64 && !operation.a_in_registers; first += 16) for_each_piece_of_a(operation, first, read);
  for_each_piece_of_b(operation, read);
}

bool WgmmaQueue::advance_one() {
  for (const WgmmaOperation& operation : under_way_) {
    if (operation.clock <= executed_) continue;
    execute(operation);
    executed_ = operation.clock;
    return true;
  }
  return false;
}

void WgmmaQueue::wait(const Warp& warp, int pending) {
  Clock until = 0;
  while (groups_.size() > static_cast<std::size_t>(pending)) {
    until = groups_.front();
    groups_.pop_front();
  }
  while (executed_ < until) advance_one();
  for (; !under_way_.empty() && under_way_.front().clock <= until; under_way_.pop_front()) {
    const WgmmaOperation& done = under_way_.front();
    for (int lane = 0; lane < 32; ++lane) {
      const auto i = static_cast<std::size_t>(lane);
      return_registers(block().lane(warp, lane), done.d[i]);
      if (done.a_in_registers) return_registers(block().lane(warp, lane), done.a_source[i]);
    }
  }
  const int actor = block().actors().wgmma(warp.index);
  for (int lane = 0; lane < 32; ++lane) Block::learn(block().lane(warp, lane), actor, until);
}

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

using vgpu::block;
using vgpu::Warp;

void wgmma_fence() {
  // One count for all: stacks serve threads of other blocks and launches, whose stamps must stay older.
  static std::uint32_t fences = 0;
  vgpu::meet("wgmma.fence", nullptr, [](Warp& warp, const vgpu::LaneArguments&) {
    ++fences;
    for (int lane = 0; lane < 32; ++lane) block().lane(warp, lane).registers.fence = fences;
  });
}

void wgmma(const WgmmaArguments& arguments) {
  WgmmaArguments own = arguments;
  vgpu::warp_collective("wgmma.mma_async", own, [](Warp& warp, const std::array<WgmmaArguments*, 32>& lanes) {
    block().wgmma[static_cast<std::size_t>(warp.index)].issue(warp, lanes);
  });
}

void wgmma_commit() {
  vgpu::meet("wgmma.commit_group", nullptr, [](Warp& warp, const vgpu::LaneArguments&) {
    block().wgmma[static_cast<std::size_t>(warp.index)].commit();
  });
}

void wgmma_wait(int pending) {
  vgpu::warp_collective("wgmma.wait_group", pending, [](Warp& warp, const std::array<int*, 32>& lanes) {
    block().wgmma[static_cast<std::size_t>(warp.index)].wait(warp, *lanes[0]);
  });
}

}  // namespace cpbench::ptx
