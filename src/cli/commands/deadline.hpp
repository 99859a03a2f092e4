// `--timeout`: ends the job when its time is up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "transport/communicator.hpp"

namespace cpbench {

/// From its making to its end, at most `seconds`; then rank 0 says so and aborts the job with exit code 124, or another
/// rank does if rank 0 cannot.
class Deadline {
 public:
  /// What `on_expiry` may wait for other threads before it writes: another rank ends the job only a while after that.
  static constexpr std::chrono::seconds kPatience{5};

  /// `on_expiry` is called before the end, by a thread of its own, on each rank that gets so far.
  Deadline(
      std::optional<double> seconds, const Communicator& world, std::function<void()> on_expiry = [] {});
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable met_;
  bool is_met_ = false;
  std::thread watch_;
};

}  // namespace cpbench
