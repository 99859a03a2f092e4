// cp.async.
//
// PTX ISA: the copies of a thread between commit_groups are a group; wait_group N waits until at most N of the youngest
// groups are pending, and makes them visible to the thread alone. Nothing orders two copies of one group. They write
// through the generic proxy.
#include "copy_async.hpp"

#include <cstring>

#include "block.hpp"
#include "fault_message.hpp"
#include "global_shadow.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {
namespace {

void do_copy(const CopyAsync& copy) {
  std::byte* const to = kSharedMemory.at(copy.to);
  if (copy.from != nullptr) {
    std::memcpy(to, copy.from, 16);
  } else {
    std::memset(to, 0, 16);
  }
}

}  // namespace

void do_some_copies(Thread& thread, std::uint64_t choice) {
  std::erase_if(thread.copies, [&](const CopyAsync& copy) {
    choice = choice >> 1 | choice << 63;
    if (choice & 1) do_copy(copy);
    return (choice & 1) != 0;
  });
}

void start_copy(Thread& thread, const CopyAsync& copy) {
  if (scheduler().settings().order == Order::kEager) {
    do_copy(copy);
  } else {
    thread.copies.push_back(copy);
  }
}

void finish_copies(Thread& thread, std::uint32_t until) {
  std::erase_if(thread.copies, [&](const CopyAsync& copy) {
    if (copy.group <= until) do_copy(copy);
    return copy.group <= until;
  });
  Block::learn(thread, block().actors().copy_async(thread.index), until);
}

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

using vgpu::block;
using vgpu::running_thread;

void copy_async_16(SharedAddress to, const void* from, bool valid) {
  constexpr std::size_t kBytes = 16;
  vgpu::Thread& thread = running_thread();
  const std::size_t offset = vgpu::shared_offset(to, kBytes, kBytes, "cp.async");
  const vgpu::Epoch epoch = vgpu::make_epoch(block().actors().copy_async(thread.index), thread.copy_group);
  const vgpu::ThreadKnowledge knowledge = block().knowledge_of(thread);
  block().shadow.write(offset, kBytes, epoch, knowledge);
  if (valid) {
    const auto source = reinterpret_cast<std::uintptr_t>(from);
    if (source % kBytes != 0 || !vgpu::kGlobalMemory.contains(source)) {
      vgpu::fail(vgpu::FaultKind::kOutOfBounds,
                 "cp.async from {:#x}, which is not in global memory or not aligned to 16", source);
    }
    vgpu::global_shadow().read(source, kBytes, epoch, knowledge);
  }
  vgpu::start_copy(thread, {static_cast<std::uint32_t>(offset), valid ? from : nullptr, thread.copy_group});
}

void copy_async_commit() { ++running_thread().copy_group; }

void copy_async_wait(int pending) {
  vgpu::Thread& thread = running_thread();
  // Groups are numbered from 1, and the open one is not waited for.
  const std::int64_t until = std::int64_t{thread.copy_group} - 1 - pending;
  if (until >= 1) vgpu::finish_copies(thread, static_cast<std::uint32_t>(until));
}

}  // namespace cpbench::ptx
