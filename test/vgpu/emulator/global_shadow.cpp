#include "global_shadow.hpp"

#include <algorithm>

#include "block.hpp"
#include "fault_message.hpp"

namespace cpbench::vgpu {
namespace {

std::string place_of(const GlobalCell& cell) {
  const auto index = static_cast<std::size_t>(&cell - kGlobalShadow.at<GlobalCell>(0));
  return describe_address(kGlobalMemory.at(2 * index));
}

}  // namespace

GlobalShadow the_global_shadow;

void GlobalShadow::begin(const Operation& operation) {
  operation_ = operation;
  first_agent_ = static_cast<std::uint32_t>(agents_.size());
  next_block();
}

void GlobalShadow::next_block() {
  agent_ = static_cast<std::uint32_t>(agents_.size());
  ordered_agent_ = 0;
  agents_.push_back({operation_.stream, operation_.sequence});
}

void GlobalShadow::allocate(std::uintptr_t address, std::size_t bytes, bool is_host_memory) {
  std::fill(cell_at(address), cell_at(address + bytes + 1), GlobalCell{is_host_memory ? kHost : kUnwritten, 0, 0, 0});
}

void GlobalShadow::release(std::uintptr_t address, std::size_t bytes) {
  std::fill(cell_at(address), cell_at(address + bytes + 1), GlobalCell{kOutside, 0, 0, 0});
}

/// Whether one remembered read can stand for this one too.
bool GlobalShadow::merge(Read& read, Epoch epoch) const {
  const std::uint32_t agent = read.by & ~kSeveral;
  if (agent == agent_) {
    read.at = epoch;
  } else if (of_this_operation(agent)) {
    read.by |= kSeveral;
  } else if (is_ordered(agent)) {
    read = {agent_, epoch};
  } else {
    return false;
  }
  return true;
}

void GlobalShadow::remember_another_read(GlobalCell& cell, Epoch epoch) {
  if (!(cell.read_by & kIsSet)) {
    Read read{cell.read_by, cell.read_at};
    if (merge(read, epoch)) {
      cell.read_by = read.by;
      cell.read_at = read.at;
      return;
    }
    cell.read_by = kIsSet | static_cast<std::uint32_t>(sets_.size());
    sets_.push_back({read});
  }
  auto& set = sets_[cell.read_by & ~kIsSet];
  const bool merged = std::any_of(set.begin(), set.end(), [&](Read& read) { return merge(read, epoch); });
  if (!merged) set.push_back({agent_, epoch});
}

void GlobalShadow::fail_unwritten(const GlobalCell& cell) const {
  if (cell.written_by == kOutside) {
    fail(FaultKind::kOutOfBounds, "{} is in no allocation", place_of(cell));
  }
  fail(FaultKind::kUninitialised, "{} is read and was never written", place_of(cell));
}

void GlobalShadow::fail_race(const GlobalCell& cell, Epoch before, const char* was, const char* is) const {
  fail(FaultKind::kRace, "{} was {} by {} and is {} without anything that orders the two", place_of(cell), was,
       block().describe_actor(actor_of(before)), is);
}

void GlobalShadow::fail_unordered(const GlobalCell& cell, std::uint32_t agent, const char* was, const char* is) const {
  const Agent& other = agents_[agent];
  if (of_this_operation(agent)) {
    fail(FaultKind::kBlockRace, "{} was {} by block {} of the same launch and is {}", place_of(cell), was,
         agent - first_agent_, is);
  }
  fail(FaultKind::kMissingEvent,
       "{} was {} by operation {} of stream {} and is {} by operation {} of stream {}: no event orders them",
       place_of(cell), was, other.sequence, other.stream, is, operation_.sequence, operation_.stream);
}

}  // namespace cpbench::vgpu
