// mbarrier objects.
//
// PTX ISA: a phase completes when both its pending arrivals and its tx-count are zero; the next phase then begins with
// the count of arrivals of the initialisation. expect_tx raises the tx-count, complete_tx lowers it. arrive releases,
// test_wait and try_wait acquire; what an asynchronous copy wrote is visible to those that wait for the phase in which
// it completed its bytes. The 64 bits are opaque, so here they stay unwritten and the state lives beside them.
//
// Assumed: a copy that completes before its bytes are expected makes the tx-count negative for a while, and the phase
// stays open since the arrival that expects them is pending.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sync.hpp"
#include "thread.hpp"

namespace cpbench::vgpu {

class Mbarriers {
 public:
  void reset();
  void init(Thread& thread, std::uint32_t address, int arrivals);
  /// The barriers that the thread initialised, and those initialised before in its order, are visible to the
  /// asynchronous proxy from now on.
  void fence(const Thread& thread);
  void arrive(Thread& thread, std::uint32_t address, int expected_bytes);
  void wait(Thread& thread, std::uint32_t address, int parity);
  /// The thread names the barrier for a copy that it starts.
  void check_for_copy(const Thread& thread, std::uint32_t address);
  /// An asynchronous copy has written `bytes`: whoever waits for the phase learns that `actor` is done up to `clock`.
  void complete(std::uint32_t address, int bytes, int actor, Clock clock);
  /// The block has ended: no phase may be half over, or who arrived was one too many, or somebody did not come.
  void finish() const;
  std::string describe() const;

 private:
  struct Mbarrier {
    int arrivals = 0, pending = 0, bytes = 0;
    std::uint32_t phase = 0;
    Epoch initialised = 0;
    bool visible_to_copies = false;
    Sync current, completed;  ///< of the phase that runs, and the one before
    std::vector<Thread*> waiting;
  };
  Mbarrier& find(const Thread& thread, std::uint32_t address, const char* instruction);
  void advance(std::uint32_t address, Mbarrier& barrier);

  std::map<std::uint32_t, Mbarrier> barriers_;
};

}  // namespace cpbench::vgpu
