// How to wait without stealing the core from a rank that has work.
#pragma once

#include <sched.h>

#include <chrono>
#include <thread>

namespace cpbench {

/// Call `pause` after each fruitless poll and `reset` after a fruitful one. Spins for some microseconds, then yields;
/// where threads may outnumber cores, it sleeps after some hundred microseconds.
class Backoff {
 public:
  /// For the whole process, and the same on all of the job, whose barriers depend on it: whether each thread of each
  /// rank has a core to itself. Then nobody sleeps, because MPI moves data while it is polled and a message of many
  /// fragments needs many polls. Unless said, it is not so.
  static void set_cores_suffice(bool suffice) { cores_suffice_ = suffice; }
  static bool cores_suffice() { return cores_suffice_; }

  void pause() {
    if (polls_ < kSleepAfter) ++polls_;
    if (polls_ == kSleepAfter && !cores_suffice_) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    } else if (polls_ > kYieldAfter) {
      sched_yield();
    }
  }
  void reset() { polls_ = 0; }

 private:
  static constexpr int kYieldAfter = 50, kSleepAfter = 200;
  inline static bool cores_suffice_ = false;
  int polls_ = 0;
};

}  // namespace cpbench
