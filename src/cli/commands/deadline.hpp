// `--timeout`: ends the job when its time is up.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "transport/communicator.hpp"

namespace cpbench {

/// From its making to its end, at most `seconds`; then rank 0 says so and aborts the job with exit code 124, or another
/// rank does if rank 0 cannot. What was finished until then is in the .jsonl file.
class Deadline {
 public:
  Deadline(std::optional<double> seconds, const Communicator& world);
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
