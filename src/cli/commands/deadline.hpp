// `--timeout`: ends the job when its time is up.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace cpbench {

/// From its making to its end, at most `seconds`; then this rank says so and aborts the job with exit code 124. What
/// was finished until then is in the .jsonl file.
class Deadline {
 public:
  Deadline(std::optional<double> seconds, int rank);
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
