// What the maker of an access knows to be done before it.
#pragma once

#include "clocks.hpp"

namespace cpbench::vgpu {

/// A thread's own access, or the generic side of an asynchronous copy that it starts.
struct ThreadKnowledge {
  const Actors& actors;
  const Clock* clock;

  bool covers(Epoch epoch) const {
    const int actor = actor_of(epoch);
    if (!actors.is_warpgroup(actor)) [[likely]]
      return clock_of(epoch) <= clock[actor];
    const int first = actors.wgmma(4 * (actor - actors.warpgroup(0)));
    for (int warp = 0; warp < 4; ++warp) {
      if (clock_of(epoch) > clock[first + warp]) return false;
    }
    return true;
  }
  bool is_ordered(Epoch epoch) const { return covers(epoch); }
};

/// An access through the asynchronous proxy, started by a thread: of what went through the generic proxy it sees only
/// what a fence.proxy.async came after.
struct AsyncKnowledge {
  ThreadKnowledge thread;
  const Clock* visible;  ///< for generic actors

  bool covers(Epoch epoch) const {
    const int actor = actor_of(epoch);
    if (thread.actors.is_generic(actor) && clock_of(epoch) > visible[actor]) return false;
    return thread.covers(epoch);
  }
  /// In order, but perhaps not visible for want of a fence.
  bool is_ordered(Epoch epoch) const { return thread.covers(epoch); }
};

}  // namespace cpbench::vgpu
