#include "bulk_copies.hpp"

#include <cstring>

#include "block.hpp"
#include "box.hpp"
#include "fault_message.hpp"
#include "global_shadow.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

void BulkCopies::reset() {
  copies_.clear();
  slot_clock_.fill(0);
  last_load_.fill(0);
  next_slot_ = 0;
}

/// Slots are used in turn, so that a new copy is taken for the one before in its slot as late as possible.
int BulkCopies::take_slot() {
  const int slot = next_slot_;
  next_slot_ = (next_slot_ + 1) % Actors::kBulkSlots;
  const auto in_use = [&] {
    return std::any_of(copies_.begin(), copies_.end(), [&](const Copy& copy) {
      return !copy.is_done() && (copy.read_slot == slot || copy.write_slot == slot);
    });
  };
  while (in_use()) advance_one();
  ++slot_clock_[static_cast<std::size_t>(slot)];
  return slot;
}

void BulkCopies::issue(Thread& thread, Kind kind, const Box& box, std::uint32_t mbarrier) {
  if (box.map.span != 0 && box.map.row_bytes() != box.map.span) {
    fail(FaultKind::kMisuse, "a box of {} bytes per row with a swizzle of {} bytes", box.map.row_bytes(), box.map.span);
  }
  if (kind == Kind::kAdd && !box.map.is_float) fail(FaultKind::kMisuse, "a bulk addition to a tensor that is not fp32");
  Copy copy{};
  copy.kind = kind;
  copy.box = box;
  copy.mbarrier = mbarrier;
  copy.thread = thread.index;
  copy.group = thread.bulk_group;
  copy.read_slot = take_slot();
  copy.write_slot = take_slot();
  copy.read_clock = slot_clock_[static_cast<std::size_t>(copy.read_slot)];
  copy.write_clock = slot_clock_[static_cast<std::size_t>(copy.write_slot)];
  if (kind == Kind::kLoad) last_load_[static_cast<std::size_t>(copy.write_slot)] = copy.write_clock;
  check(thread, copy);
  copies_.push_back(std::move(copy));
  if (scheduler().settings().order == Order::kEager) {
    while (advance_one()) {
    }
  }
}

/// Both halves come after what the issuing thread knows; what nobody waited for they may meet.
void BulkCopies::check(const Thread& thread, const Copy& copy) {
  const Actors& actors = block().actors();
  const Epoch reading = make_epoch(actors.bulk(copy.read_slot), copy.read_clock);
  const Epoch writing = make_epoch(actors.bulk(copy.write_slot), copy.write_clock);
  const AsyncKnowledge knowledge = block().async_knowledge_of(thread);
  if (copy.kind == Kind::kLoad) block().shadow.write(copy.box.shared, copy.box.map.box_bytes(), writing, knowledge);
  for_each_row(copy.box, [&](const BoxRow& row) {
    if (row.bytes == 0) return;
    if (!kGlobalMemory.contains(row.global))
      fail(FaultKind::kOutOfBounds, "a tensor map leads to {:#x}, outside of the device's memory", row.global);
    if (copy.kind == Kind::kLoad) {
      global_shadow().read(row.global, row.bytes, reading, knowledge);
      return;
    }
    for_each_piece(copy.box, row, [&](std::uint32_t offset, std::uint32_t shared) {
      const bool inside = offset + 16 > row.skip && offset < row.skip + row.bytes;
      if (inside) block().shadow.read(shared, 16, reading, knowledge);
    });
    if (copy.kind == Kind::kStore) {
      global_shadow().write(row.global, row.bytes, writing, knowledge);
    } else {
      global_shadow().update(row.global, row.bytes, writing, knowledge);
    }
  });
}

/// Gathers the box, rows one after the other and not swizzled, with zeros where the tensor is not.
void BulkCopies::read(Copy& copy) {
  const Box& box = copy.box;
  copy.data.assign(box.map.box_bytes(), std::byte{0});
  for_each_row(box, [&](const BoxRow& row) {
    std::byte* const to = copy.data.data() + (row.shared - box.shared);
    if (copy.kind == Kind::kLoad) {
      std::memcpy(to + row.skip, reinterpret_cast<const void*>(row.global), row.bytes);
      return;
    }
    for_each_piece(box, row, [&](std::uint32_t offset, std::uint32_t shared) {
      std::memcpy(to + offset, kSharedMemory.at(shared), 16);
    });
  });
  copy.has_read = true;
}

void BulkCopies::write(Copy& copy) {
  const Box& box = copy.box;
  for_each_row(box, [&](const BoxRow& row) {
    const std::byte* const from = copy.data.data() + (row.shared - box.shared);
    if (copy.kind == Kind::kLoad) {
      for_each_piece(box, row, [&](std::uint32_t offset, std::uint32_t shared) {
        std::memcpy(kSharedMemory.at(shared), from + offset, 16);
      });
    } else if (copy.kind == Kind::kStore) {
      std::memcpy(reinterpret_cast<void*>(row.global), from + row.skip, row.bytes);
    } else {
      const auto* const addends = reinterpret_cast<const float*>(from + row.skip);
      auto* const sums = reinterpret_cast<float*>(row.global);
      for (std::uint32_t i = 0; i < row.bytes / sizeof(float); ++i) sums[i] += addends[i];
    }
  });
  copy.has_written = true;
  if (copy.kind == Kind::kLoad) {
    block().mbarriers.complete(copy.mbarrier, static_cast<int>(box.map.box_bytes()),
                               block().actors().bulk(copy.write_slot), copy.write_clock);
  }
}

bool BulkCopies::advance_one() {
  std::vector<Copy*> unfinished;
  for (Copy& copy : copies_) {
    if (!copy.is_done()) unfinished.push_back(&copy);
  }
  if (unfinished.empty()) return false;
  const bool any = scheduler().settings().order == Order::kRandom;
  Copy& copy = *unfinished[any ? scheduler().random()() % unfinished.size() : 0];
  if (!copy.has_read) {
    read(copy);
  } else {
    write(copy);
  }
  // A load is gone when it has written. Stores stay until their thread has waited, or the block ends.
  std::erase_if(copies_, [](const Copy& c) { return c.is_done() && c.kind == Kind::kLoad; });
  return true;
}

void BulkCopies::wait(Thread& thread, int pending, bool only_reads) {
  const Actors& actors = block().actors();
  for (Copy& copy : copies_) {
    const bool waited_for = copy.kind != Kind::kLoad && copy.thread == thread.index &&
                            copy.group + static_cast<std::uint32_t>(pending) < thread.bulk_group;
    if (!waited_for) continue;
    if (!copy.has_read) read(copy);
    copy.read_is_waited_for = true;
    Block::learn(thread, actors.bulk(copy.read_slot), copy.read_clock);
    if (only_reads) continue;
    if (!copy.has_written) write(copy);
    Block::learn(thread, actors.bulk(copy.write_slot), copy.write_clock);
    copy.thread = -1;
  }
  std::erase_if(copies_, [](const Copy& copy) { return copy.thread < 0; });
}

void BulkCopies::finish() {
  for (int slot = 0; slot < Actors::kBulkSlots; ++slot) {
    const Clock last_load = last_load_[static_cast<std::size_t>(slot)];
    const int actor = block().actors().bulk(slot);
    const auto& threads = block().threads();
    const bool known =
        std::any_of(threads.begin(), threads.end(), [&](const Thread& t) { return t.clock[actor] >= last_load; });
    if (!known)
      fail(FaultKind::kMisuse, "the block ends, and no thread has waited for a bulk copy to its shared memory");
  }
  for (Copy& copy : copies_) {
    if (!copy.read_is_waited_for) {
      fail(FaultKind::kMisuse,
           "the block ends, and thread {} has not waited for its bulk copy to read shared memory + {:#x}", copy.thread,
           copy.box.shared);
    }
    if (!copy.has_written) write(copy);
  }
  copies_.clear();
}

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

using vgpu::block;
using vgpu::BulkCopies;
using vgpu::running_thread;

namespace {

void issue(BulkCopies::Kind kind, const CUtensorMap* map, const std::array<int, 4>& at, SharedAddress shared,
           SharedAddress mbarrier) {
  const vgpu::TensorMap decoded = vgpu::decode(map, 4);
  const std::size_t alignment = 128;
  const std::size_t offset = vgpu::shared_offset(shared, decoded.box_bytes(), alignment, "a bulk copy");
  block().bulk_copies.issue(running_thread(), kind, {decoded, at, static_cast<std::uint32_t>(offset)}, mbarrier);
}

}  // namespace

void prefetch_tensor_map(const CUtensorMap* map) { vgpu::decode(map, 4); }

void load_box(SharedAddress to, const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress barrier) {
  block().mbarriers.check_for_copy(running_thread(), barrier);
  issue(BulkCopies::Kind::kLoad, map, {c0, c1, c2, c3}, to, barrier);
}
void store_box(const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress from) {
  issue(BulkCopies::Kind::kStore, map, {c0, c1, c2, c3}, from, 0);
}
void add_box(const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress from) {
  issue(BulkCopies::Kind::kAdd, map, {c0, c1, c2, c3}, from, 0);
}

void bulk_commit() { BulkCopies::commit(running_thread()); }
void bulk_wait_read(int pending) { block().bulk_copies.wait(running_thread(), pending, true); }
void bulk_wait(int pending) { block().bulk_copies.wait(running_thread(), pending, false); }

}  // namespace cpbench::ptx
