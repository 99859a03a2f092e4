// Who touched each two bytes of global memory last, over all blocks and operations, and whether what touches them now
// comes after that.
//
// Operations (launches, copies) are ordered by streams and events, and their vector clocks say how; blocks of one
// launch are not ordered at all; within a block the block's own clocks decide. Reads are remembered one per operation,
// and of one operation by its first block and by whether there were more: enough to see that a write comes too early,
// not to name every reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arena.hpp"
#include "clocks.hpp"

namespace cpbench::vgpu {

/// What runs: a launch or a copy. `clock` has, for each stream, how many of its operations are known to be done.
struct Operation {
  std::uint32_t stream, sequence;  ///< sequence begins at 1
  std::span<const Clock> clock;
};

struct GlobalCell {
  std::uint32_t written_by;  ///< agent, or one of GlobalShadow's states
  Epoch written_at;          ///< in the agent's block
  std::uint32_t read_by;     ///< 0, agent, kSeveral and agent, or kIsSet and the index of a set
  Epoch read_at;
};
inline constexpr Zone kGlobalShadow{0x3000'0000'0000, kGlobalMemory.bytes / 2 * sizeof(GlobalCell)};

class GlobalShadow {
 public:
  /// The accesses that follow are those of an operation, and of its first block.
  void begin(const Operation& operation);
  /// The accesses that follow are those of another block.
  void next_block();

  /// Not written yet, or, where it is the host's memory, by the host.
  void allocate(std::uintptr_t address, std::size_t bytes, bool is_host_memory);
  void release(std::uintptr_t address, std::size_t bytes);

  template <typename Knowledge>
  void read(std::uintptr_t address, std::size_t bytes, Epoch epoch, const Knowledge& knowledge) {
    for (GlobalCell *cell = cell_at(address), *end = cell_at(address + bytes + 1); cell < end; ++cell) {
      if (cell->written_by < kFirstAgent) fail_unwritten(*cell);
      check(cell->written_by, cell->written_at, knowledge, *cell, "written", "read");
      remember_read(*cell, epoch);
    }
  }
  template <typename Knowledge>
  void write(std::uintptr_t address, std::size_t bytes, Epoch epoch, const Knowledge& knowledge) {
    for (GlobalCell *cell = cell_at(address), *end = cell_at(address + bytes + 1); cell < end; ++cell) {
      if (cell->written_by == kOutside) fail_unwritten(*cell);
      const bool both_atomic = (cell->written_at & epoch & kAtomic) != 0 && of_this_operation(cell->written_by);
      if (cell->written_by >= kFirstAgent && !both_atomic) {
        check(cell->written_by, cell->written_at, knowledge, *cell, "written", "written");
      }
      check_reads(*cell, knowledge);
      *cell = {agent_, epoch, 0, 0};
    }
  }
  /// An atomic read-modify-write: what is there must have been written.
  template <typename Knowledge>
  void update(std::uintptr_t address, std::size_t bytes, Epoch epoch, const Knowledge& knowledge) {
    for (GlobalCell *cell = cell_at(address), *end = cell_at(address + bytes + 1); cell < end; ++cell) {
      if (cell->written_by < kFirstAgent) fail_unwritten(*cell);
    }
    write(address, bytes, epoch | kAtomic, knowledge);
  }

  /// A flag is looked at again and again, while others may raise it: that is no race, but the first look needs
  /// something there, which what came before wrote.
  void poll(std::uintptr_t address, std::size_t bytes) {
    for (GlobalCell *cell = cell_at(address), *end = cell_at(address + bytes + 1); cell < end; ++cell) {
      if (cell->written_by < kFirstAgent) fail_unwritten(*cell);
      if (!is_ordered(cell->written_by)) fail_unordered(*cell, cell->written_by, "written", "waited for as a flag");
    }
  }
  /// A flag is raised, or taken back: those who look at it may meet that. After a fault this is done although the
  /// memory may be gone, for other processes wait for it.
  void raise(std::uintptr_t address, std::size_t bytes, Epoch epoch) {
    for (GlobalCell *cell = cell_at(address), *end = cell_at(address + bytes + 1); cell < end; ++cell) {
      if (cell->written_by == kUnwritten) *cell = {agent_, epoch, 0, 0};
      if (cell->written_by == agent_ || cell->written_by == kOutside) continue;
      if (!is_ordered(cell->written_by)) fail_unordered(*cell, cell->written_by, "written", "raised as a flag");
    }
  }

 private:
  static constexpr std::uint32_t kOutside = 0, kUnwritten = 1, kHost = 2, kFirstAgent = kHost;
  static constexpr std::uint32_t kIsSet = 1u << 31, kSeveral = 1u << 30;

  /// A block of an operation.
  struct Agent {
    std::uint32_t stream, sequence;
  };
  struct Read {
    std::uint32_t by;
    Epoch at;
  };

  static GlobalCell* cell_at(std::uintptr_t address) {
    return kGlobalShadow.at<GlobalCell>((address - kGlobalMemory.begin) / 2 * sizeof(GlobalCell));
  }
  bool of_this_operation(std::uint32_t agent) const {
    return agent >= first_agent_;  // agents are numbered as they begin, and operations run one at a time
  }
  bool is_ordered(std::uint32_t agent) const {
    const Agent& other = agents_[agent];
    if (of_this_operation(agent)) return false;
    const Clock known = other.stream < operation_.clock.size() ? operation_.clock[other.stream] : 0;
    return other.sequence <= known;
  }
  template <typename Knowledge>
  void check(std::uint32_t agent, Epoch at, const Knowledge& knowledge, const GlobalCell& cell, const char* was,
             const char* is) {
    if (agent == ordered_agent_) return;
    if (agent == agent_) {
      if (!knowledge.is_ordered(at)) fail_race(cell, at, was, is);
      return;
    }
    if (!is_ordered(agent)) fail_unordered(cell, agent, was, is);
    ordered_agent_ = agent;
  }
  template <typename Knowledge>
  void check_reads(const GlobalCell& cell, const Knowledge& knowledge) {
    const auto check_one = [&](const Read& read) {
      const std::uint32_t agent = read.by & ~kSeveral;
      if ((read.by & kSeveral) != 0 && of_this_operation(agent)) fail_unordered(cell, agent, "read", "written");
      check(agent, read.at, knowledge, cell, "read", "written");
    };
    if (cell.read_by == 0) return;
    if (!(cell.read_by & kIsSet)) return check_one({cell.read_by, cell.read_at});
    for (const Read& read : sets_[cell.read_by & ~kIsSet]) check_one(read);
  }
  void remember_read(GlobalCell& cell, Epoch epoch) {
    if (cell.read_by == agent_ || cell.read_by == 0) {
      cell.read_by = agent_;
      cell.read_at = epoch;
    } else if (cell.read_by != (first_agent_ | kSeveral)) {
      remember_another_read(cell, epoch);
    }
  }
  void remember_another_read(GlobalCell& cell, Epoch epoch);
  bool merge(Read& read, Epoch epoch) const;

  [[noreturn, gnu::cold]] void fail_unwritten(const GlobalCell& cell) const;
  [[noreturn, gnu::cold]] void fail_race(const GlobalCell& cell, Epoch before, const char* was, const char* is) const;
  [[noreturn, gnu::cold]] void fail_unordered(const GlobalCell& cell, std::uint32_t agent, const char* was,
                                              const char* is) const;

  Operation operation_{};
  std::uint32_t agent_ = 0, first_agent_ = 0;
  std::uint32_t ordered_agent_ = 0;  ///< an agent that is known to come before the one that runs
  std::vector<Agent> agents_ = std::vector<Agent>(kHost + 1);
  std::vector<std::vector<Read>> sets_;
};

extern GlobalShadow the_global_shadow;
inline GlobalShadow& global_shadow() { return the_global_shadow; }

}  // namespace cpbench::vgpu
