// Shuffles, votes and the warp barrier.
//
// PTX ISA: bar.warp.sync orders memory among the lanes. Assumed: shuffles and votes order none.
#include <bit>

#include "block.hpp"
#include "collective.hpp"
#include "fault_message.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::ptx {
namespace {

struct Shuffle {
  std::uint32_t value;
  int from;  ///< lane
};

std::uint32_t exchange(std::uint32_t value, int from) {
  if (from < 0 || from > 31) vgpu::fail(vgpu::FaultKind::kMisuse, "a shuffle from lane {}", from);
  Shuffle own{value, from};
  vgpu::warp_collective("a shuffle", own, [](vgpu::Warp&, const std::array<Shuffle*, 32>& lanes) {
    std::array<std::uint32_t, 32> given;
    for (std::size_t i = 0; i < 32; ++i) given[i] = lanes[i]->value;
    for (Shuffle* lane : lanes) lane->value = given[static_cast<std::size_t>(lane->from)];
  });
  return own.value;
}

/// How many lanes' predicates hold.
int count(bool predicate) {
  int own = predicate ? 1 : 0;
  vgpu::warp_collective("a vote", own, [](vgpu::Warp&, const std::array<int*, 32>& lanes) {
    int sum = 0;
    for (const int* lane : lanes) sum += *lane;
    for (int* lane : lanes) *lane = sum;
  });
  return own;
}

}  // namespace

void warp_sync() {
  vgpu::meet("warp_sync", nullptr, [](vgpu::Warp& warp, const vgpu::LaneArguments&) {
    static vgpu::Sync sync;
    sync.clear();
    for (int lane = 0; lane < 32; ++lane) vgpu::block().release(vgpu::block().lane(warp, lane), sync);
    for (int lane = 0; lane < 32; ++lane) vgpu::block().acquire(vgpu::block().lane(warp, lane), sync);
  });
}

float shuffle_xor(float value, int mask) {
  return std::bit_cast<float>(exchange(std::bit_cast<std::uint32_t>(value), vgpu::running_thread().lane ^ mask));
}
int shuffle(int value, int lane) { return std::bit_cast<int>(exchange(std::bit_cast<std::uint32_t>(value), lane)); }
float shuffle(float value, int lane) {
  return std::bit_cast<float>(exchange(std::bit_cast<std::uint32_t>(value), lane));
}
bool any(bool predicate) { return count(predicate) > 0; }
bool all(bool predicate) { return count(predicate) == 32; }

}  // namespace cpbench::ptx
