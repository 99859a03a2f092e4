// The `ptx` layer of src/backend/cuda/ptx for the host compiler: the same names, done on the CPU. What each function
// promises is said there; emulator/*.cpp, which implement them, say what the PTX ISA says and what had to be assumed.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "problem/dtype.hpp"
#include "vgpu/keywords.hpp"
#include "vgpu/runtime.hpp"

#define CPBENCH_SHARED_MEMORY(name) unsigned char* const name = ::cpbench::vgpu::dynamic_shared_memory()

namespace cpbench::vgpu {

/// Where the running thread is.
struct Position {
  int thread, threads, block, blocks;
};
extern Position position;
unsigned char* dynamic_shared_memory();

enum class ElementType : std::uint8_t { kBf16, kFp16 };
template <typename T>
inline constexpr ElementType kElementType = ElementType::kBf16;
template <>
inline constexpr ElementType kElementType<fp16> = ElementType::kFp16;

}  // namespace cpbench::vgpu

namespace cpbench::ptx {

using SharedAddress = std::uint32_t;

// --- block.hpp -------------------------------------------------------------------------------------------------------
inline int thread_index() { return vgpu::position.thread; }
inline int thread_count() { return vgpu::position.threads; }
inline int block_index() { return vgpu::position.block; }
inline int block_count() { return vgpu::position.blocks; }
SharedAddress shared_address(const void* pointer);
void atomic_add(float* address, float value);
int atomic_add(int* address, int value);

// --- barrier.hpp -----------------------------------------------------------------------------------------------------
void block_sync();
void barrier_sync(int id, int threads);
void barrier_arrive(int id, int threads);
void warp_sync();
float shuffle_xor(float value, int mask);
int shuffle(int value, int lane);
float shuffle(float value, int lane);
bool any(bool predicate);
bool all(bool predicate);

// --- mbarrier.hpp ----------------------------------------------------------------------------------------------------
void mbarrier_init(SharedAddress barrier, int arrivals);
void fence_mbarrier_init();
void mbarrier_arrive(SharedAddress barrier);
void mbarrier_arrive_expect(SharedAddress barrier, int bytes);
void mbarrier_wait(SharedAddress barrier, int parity);
void fence_proxy_async();

// --- async_copy.hpp --------------------------------------------------------------------------------------------------
void copy_async_16(SharedAddress to, const void* from, bool valid);
void copy_async_commit();
void copy_async_wait(int pending);
template <int kPending>
void copy_async_wait() {
  copy_async_wait(kPending);
}

// --- convert.hpp -----------------------------------------------------------------------------------------------------
inline float to_float(float value) { return value; }
inline float to_float(bf16 value) { return value.to_float(); }
inline float to_float(fp16 value) { return value.to_float(); }
template <typename T>
T from_float(float value) {
  return cpbench::from_float<T>(value);
}
template <typename T>
std::uint32_t pack(float low, float high) {
  return std::uint32_t{from_float<T>(low).bits} | std::uint32_t{from_float<T>(high).bits} << 16;
}

// --- math.hpp --------------------------------------------------------------------------------------------------------
inline float exp2(float x) {
  const float y = ::exp2f(x);
  return y < std::numeric_limits<float>::min() ? 0.0f : y;
}

// --- matrix.hpp ------------------------------------------------------------------------------------------------------
void load_matrix_x4(std::uint32_t (&fragment)[4], SharedAddress row);
void load_matrix_x4_transposed(std::uint32_t (&fragment)[4], SharedAddress row);
void store_matrix_x4(SharedAddress row, const std::uint32_t (&fragment)[4]);
void multiply_m16n8k16(vgpu::ElementType type, float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                       std::uint32_t b1);
template <typename T>
void multiply_m16n8k16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  multiply_m16n8k16(vgpu::kElementType<T>, d, a, b0, b1);
}

// --- tma.hpp ---------------------------------------------------------------------------------------------------------
void prefetch_tensor_map(const CUtensorMap* map);
void load_box(SharedAddress to, const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress barrier);
void store_box(const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress from);
void add_box(const CUtensorMap* map, int c0, int c1, int c2, int c3, SharedAddress from);
void bulk_commit();
void bulk_wait_read(int pending);
void bulk_wait(int pending);
template <int kPending>
void bulk_wait_read() {
  bulk_wait_read(kPending);
}
template <int kPending>
void bulk_wait() {
  bulk_wait(kPending);
}

// --- warpgroup.hpp ---------------------------------------------------------------------------------------------------
void wgmma_fence();
void wgmma_commit();
void wgmma_wait(int pending);
template <int kPending>
void wgmma_wait() {
  wgmma_wait(kPending);
}

/// From here on the array has its place on the stack to itself: temporaries that shared it would look like touches.
template <int kCount>
void hold_registers(float (&values)[kCount]) {
  asm volatile("" : "+m"(values));
}
template <int kCount>
void hold_registers(std::uint32_t (&values)[kCount]) {
  asm volatile("" : "+m"(values));
}
/// Here everything is computed where it is written.
inline void compute_before_waiting(float /*value*/) {}

enum class Major { kSummed = 0, kOther = 1 };

/// One wgmma.mma_async as a thread gives it: operand A in registers, or in shared memory where `a_registers` is null.
struct WgmmaArguments {
  vgpu::ElementType type;
  int n;
  float* d;
  const std::uint32_t* a_registers;
  std::uint64_t a, b;
  Major major_a, major_b;
  bool accumulate;
};
void wgmma(const WgmmaArguments& arguments);

template <typename T, int kN, Major kMajorA, Major kMajorB>
void wgmma(float (&d)[kN / 2], std::uint64_t a, std::uint64_t b, bool accumulate) {
  wgmma({vgpu::kElementType<T>, kN, d, nullptr, a, b, kMajorA, kMajorB, accumulate});
}
template <typename T, int kN, Major kMajorB>
void wgmma(float (&d)[kN / 2], const std::uint32_t (&a)[4], std::uint64_t b, bool accumulate) {
  wgmma({vgpu::kElementType<T>, kN, d, a, 0, b, Major::kSummed, kMajorB, accumulate});
}

void set_registers(int registers, bool raise);
template <int kRegisters>
void raise_registers() {
  set_registers(kRegisters, true);
}
template <int kRegisters>
void lower_registers() {
  set_registers(kRegisters, false);
}

}  // namespace cpbench::ptx
