// How an exception gets out of threads that none may leave: it would end the process, without a word.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>

namespace cpbench {

/// What was thrown first on any of several threads, for the one that waits for them.
class FirstFailure {
 public:
  /// Does it, unless something was thrown before; what it throws is kept.
  template <typename Work>
  void attempt(Work&& work) {
    if (happened_) return;
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      happened_ = true;
    }
  }
  /// Does nothing where nothing was thrown. To be called when the threads are done.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::atomic<bool> happened_ = false;
};

}  // namespace cpbench
