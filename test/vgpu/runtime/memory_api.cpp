// cudaMalloc, cudaMemcpy and the like.
#include <algorithm>

#include "emulator/arena.hpp"
#include "emulator/fault_message.hpp"
#include "emulator/memory.hpp"
#include "runtime/engine.hpp"
#include "runtime/memory_actions.hpp"
#include "runtime/status.hpp"

using cpbench::vgpu::Box3;
using cpbench::vgpu::engine;
using cpbench::vgpu::Extent3;
using cpbench::vgpu::global_memory;
using cpbench::vgpu::status;

namespace {

cudaError_t allocate(void** pointer, std::size_t bytes, bool is_host_memory) {
  engine().refuse_in_capture("an allocation");
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  *pointer = global_memory().allocate(bytes, is_host_memory);
  return status(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

/// Freeing waits for what is queued, as CUDA does.
cudaError_t release(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  engine().refuse_in_capture("the freeing of memory");
  engine().finish_all();
  const auto place = reinterpret_cast<std::uintptr_t>(pointer);
  if (global_memory().find(place).begin == place && cpbench::vgpu::openers_of(place) != 0) {
    fail(cpbench::vgpu::FaultKind::kMisuse, "memory is freed that another process has open");
  }
  return status(global_memory().release(pointer) ? cudaSuccess : cudaErrorInvalidValue);
}

Box3 box(const void* data, std::size_t row_pitch = 0, std::size_t slice_pitch = 0) {
  return {static_cast<std::byte*>(const_cast<void*>(data)), row_pitch, slice_pitch};
}

bool is_pageable(const Box3& box) { return !cpbench::vgpu::is_known_memory(box.data); }
bool is_of_host(const Box3& box) {
  return is_pageable(box) || global_memory().is_host_memory(reinterpret_cast<std::uintptr_t>(box.data));
}

cudaError_t queue(const Box3& to, const Box3& from, const Extent3& extent, cudaStream_t handle) {
  auto& stream = engine().find(handle);
  if (extent.width * extent.height * extent.depth == 0) return cudaSuccess;
  engine().enqueue(stream, cpbench::vgpu::make_copy(to, from, extent));
  return cudaSuccess;
}

/// Where the host's memory is pageable CUDA leaves open whether the call waits for the copy: that it does not, as its
/// name says, is not to be had, and that it does is not to be relied on.
cudaError_t queue_copy(const Box3& to, const Box3& from, const Extent3& extent, cudaStream_t handle) {
  const bool is_empty = extent.width * extent.height * extent.depth == 0;
  if (!is_empty && (is_pageable(to) || is_pageable(from))) {
    fail(cpbench::vgpu::FaultKind::kMisuse, "an asynchronous copy {} pageable memory of the host",
         is_pageable(to) ? "to" : "from");
  }
  return queue(to, from, extent, handle);
}

/// On the default stream. CUDA's "API synchronization behavior": what is taken from pageable memory is staged once the
/// stream is done, and may then be on its way still; copies within the device are not waited for, all others are.
cudaError_t copy(const Box3& to, const Box3& from, const Extent3& extent) {
  engine().refuse_in_capture("a copy on the default stream");
  if (is_pageable(from)) engine().finish(engine().find(nullptr));
  const cudaError_t queued = queue(to, from, extent, nullptr);
  const bool is_waited_for = is_of_host(to) || (is_of_host(from) && !is_pageable(from));
  if (queued == cudaSuccess && is_waited_for) engine().finish(engine().find(nullptr));
  return queued;
}

bool are_pitches(std::size_t to, std::size_t from, std::size_t width, std::size_t height) {
  constexpr std::size_t kMostPitch = 2147483647;  // cudaDeviceProp::memPitch of real ones
  return (height <= 1 || std::min(to, from) >= width) && std::max(to, from) <= kMostPitch;
}

cudaError_t queue_fill(const Box3& to, int value, const Extent3& extent, cudaStream_t handle) {
  auto& stream = engine().find(handle);
  if (!cpbench::vgpu::is_known_memory(to.data)) return status(cudaErrorInvalidValue);
  if (extent.width * extent.height * extent.depth != 0)
    engine().enqueue(stream, cpbench::vgpu::make_fill(to, value, extent));
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  if (cpbench::vgpu::is_to_fail("cudaMalloc")) return status(cudaErrorMemoryAllocation);
  return allocate(pointer, bytes, false);
}
cudaError_t cudaFree(void* pointer) { return release(pointer); }
cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) { return allocate(pointer, bytes, true); }
cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) { return allocate(pointer, bytes, true); }
cudaError_t cudaFreeHost(void* pointer) { return release(pointer); }

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const bool known = cpbench::vgpu::is_known_memory(pointer);
  *attributes = {known ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered, 0,
                 known ? const_cast<void*>(pointer) : nullptr, nullptr};
  if (known && global_memory().is_host_memory(reinterpret_cast<std::uintptr_t>(pointer))) {
    attributes->type = cudaMemoryTypeHost;
    attributes->hostPointer = const_cast<void*>(pointer);
  }
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return queue_copy(box(to), box(from), {bytes, 1, 1}, stream);
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  return copy(box(to), box(from), {bytes, 1, 1});
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, std::size_t bytes, cudaStream_t stream) {
  return queue_copy(box(to), box(from), {bytes, 1, 1}, stream);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind, cudaStream_t stream) {
  if (!are_pitches(to_pitch, from_pitch, width, height)) return status(cudaErrorInvalidValue);
  return queue_copy(box(to, to_pitch), box(from, from_pitch), {width, height, 1}, stream);
}
cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                         std::size_t height, cudaMemcpyKind) {
  if (!are_pitches(to_pitch, from_pitch, width, height)) return status(cudaErrorInvalidValue);
  return copy(box(to, to_pitch), box(from, from_pitch), {width, height, 1});
}
cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t stream) {
  if (p->srcArray != nullptr || p->dstArray != nullptr) return status(cudaErrorNotSupported);
  const auto corner = [](const cudaPitchedPtr& at, const cudaPos& position) {
    const std::size_t slice = at.pitch * at.ysize;
    return box(static_cast<std::byte*>(at.ptr) + position.z * slice + position.y * at.pitch + position.x, at.pitch,
               slice);
  };
  return queue_copy(corner(p->dstPtr, p->dstPos), corner(p->srcPtr, p->srcPos),
                    {p->extent.width, p->extent.height, p->extent.depth}, stream);
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return queue_fill(box(to), value, {bytes, 1, 1}, stream);
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  engine().refuse_in_capture("a fill on the default stream");
  const cudaError_t queued = cudaMemsetAsync(to, value, bytes, nullptr);
  // The host waits where the memory is its own, and only there.
  if (queued == cudaSuccess && is_of_host(box(to))) engine().finish(engine().find(nullptr));
  return queued;
}
cudaError_t cudaMemset2DAsync(void* to, std::size_t pitch, int value, std::size_t width, std::size_t height,
                              cudaStream_t stream) {
  return queue_fill(box(to, pitch), value, {width, height, 1}, stream);
}
