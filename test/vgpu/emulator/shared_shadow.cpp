#include "shared_shadow.hpp"

#include <algorithm>

#include "arena.hpp"
#include "block.hpp"
#include "fault_message.hpp"

namespace cpbench::vgpu {

ReadSets::Id ReadSets::create(Epoch first, Epoch second) {
  if (free_.empty()) {
    free_.push_back(static_cast<Id>(sets_.size()));
    sets_.emplace_back();
  }
  const Id id = free_.back();
  free_.pop_back();
  sets_[id].assign({first, second});
  return id;
}

void ReadSets::release(Id id) { free_.push_back(id); }

void ReadSets::clear() {
  free_.resize(sets_.size());
  for (std::size_t i = 0; i < free_.size(); ++i) free_[i] = static_cast<Id>(i);
}

void SharedShadow::reset(std::size_t begin, std::size_t end) {
  // Beyond the end there are cells enough for any single access that begins inside.
  cells_.assign(kSharedMemory.bytes / 2 + 64, {kOutside, 0});
  std::fill(cell_at(begin), cell_at(end + 1), Cell{kUnwritten, 0});
  reads_.clear();
}

void SharedShadow::fail_unwritten(const Cell& cell) const {
  const auto offset = static_cast<std::size_t>(&cell - cells_.data()) * 2;
  if (cell.written == kOutside) {
    fail(FaultKind::kOutOfBounds, "{} is outside of the block's shared memory",
         describe_address(kSharedMemory.at(offset)));
  }
  fail(FaultKind::kUninitialised, "{} is read and was never written", describe_address(kSharedMemory.at(offset)));
}

void SharedShadow::fail_unordered(const Cell& cell, Epoch before, const char* was, const char* is,
                                  bool is_ordered) const {
  const auto offset = static_cast<std::size_t>(&cell - cells_.data()) * 2;
  const std::string place = describe_address(kSharedMemory.at(offset));
  const std::string who = block().describe_actor(actor_of(before));
  if (is_ordered) {
    fail(FaultKind::kProxy,
         "{} was {} by {} and is {} through the asynchronous proxy without fence.proxy.async between", place, was, who,
         is);
  }
  fail(FaultKind::kRace, "{} was {} by {} and is {} without anything that orders the two", place, was, who, is);
}

}  // namespace cpbench::vgpu
