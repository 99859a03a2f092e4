// Vector clocks: what happened before what within a block.
//
// Actors are the block's threads and everything that works asynchronously for them. Each has a clock that counts its
// releases; an actor's vector holds, for every actor, up to which of its releases that actor's work is known to be
// done. An access is remembered as its epoch: who, and at which clock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cpbench::vgpu {

using Clock = std::uint32_t;

/// Actor in bits 0 to 11, clock in bits 12 to 30; bit 31: the access was atomic. Clocks begin at 1, so the values below
/// kFirstEpoch are free to mean something else.
using Epoch = std::uint32_t;
inline constexpr int kActorBits = 12, kClockBits = 19;
inline constexpr Epoch kFirstEpoch = 1u << kActorBits;
inline constexpr Epoch kAtomic = 1u << 31;
inline constexpr Clock kLastClock = (1u << kClockBits) - 1;

constexpr Epoch make_epoch(int actor, Clock clock) { return clock << kActorBits | static_cast<Epoch>(actor); }
constexpr int actor_of(Epoch epoch) { return static_cast<int>(epoch & (kFirstEpoch - 1)); }
constexpr Clock clock_of(Epoch epoch) { return epoch >> kActorBits & kLastClock; }

/// The actors of a block in the order of their numbers.
struct Actors {
  static constexpr int kBulkSlots = 96;
  int threads = 0, warps = 0;

  int thread(int index) const { return index; }
  int copy_async(int thread) const { return threads + thread; }  ///< the cp.async of a thread
  int bulk(int slot) const { return 2 * threads + slot; }        ///< one half (reading or writing) of a bulk copy
  int wgmma(int warp) const { return 2 * threads + kBulkSlots + warp; }
  /// Not in vectors: all four warps of a warpgroup, whose wgmma read operands together.
  int warpgroup(int group) const { return 2 * threads + kBulkSlots + warps + group; }

  /// Actors from 0 that work through the generic proxy.
  int generic() const { return 2 * threads; }
  bool is_generic(int actor) const { return actor < generic(); }
  bool is_warpgroup(int actor) const { return actor >= warpgroup(0); }
  /// Entries of a vector.
  int count() const { return warpgroup(0); }
};

/// to = max(to, from), entry by entry.
void join(Clock* to, const Clock* from, int count);

}  // namespace cpbench::vgpu
