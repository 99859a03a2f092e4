// bar.sync, bar.arrive and __syncthreads.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sync.hpp"
#include "thread.hpp"

namespace cpbench::vgpu {

class NamedBarriers {
 public:
  void reset(int block_threads);
  /// A thread arrives at barrier `id`, which `threads` threads complete; `waits`: and waits for that.
  void arrive(Thread& thread, int id, int threads, bool waits);
  /// Threads that wait at barrier 0, which all threads of the block must reach.
  int waiting_for_all() const { return barriers_[0].arrived; }
  /// The block has ended: an arrival that completed nothing is one too many, or a thread did not come.
  void finish() const;
  std::string describe() const;

 private:
  struct Barrier {
    int expected = 0, arrived = 0, completed = 0;
    std::vector<Thread*> waiting;
    Sync sync;
  };
  int block_threads_ = 0;
  std::array<Barrier, 16> barriers_;
};

}  // namespace cpbench::vgpu
