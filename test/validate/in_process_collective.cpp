#include "validate/in_process_collective.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace cpbench {
namespace {

/// What the threads of a job share: where each rank's values are, and the first exception.
struct Meeting {
  explicit Meeting(int ranks) : values(static_cast<std::size_t>(ranks)), barrier(ranks) {}

  void fail(std::exception_ptr exception) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(exception);
    failed = true;
  }

  std::vector<const void*> values;
  std::barrier<> barrier;
  std::mutex mutex;
  std::exception_ptr error;
  std::atomic<bool> failed = false;
};

class ThreadCollective : public Collective {
 public:
  ThreadCollective(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(meeting_.values.size()); }
  void sum(std::span<double> values) const override { reduce(values, std::plus<>()); }
  void max(std::span<double> values) const override {
    reduce(values, [](double a, double b) { return std::max(a, b); });
  }

 private:
  template <typename Combine>
  void reduce(std::span<double> values, Combine combine) const {
    const auto parts = allgatherv(std::vector<double>(values.begin(), values.end()));
    std::ranges::copy(parts[0], values.begin());
    for (std::size_t r = 1; r < parts.size(); ++r)
      std::transform(values.begin(), values.end(), parts[r].begin(), values.begin(), combine);
  }
  void allgather_elements(const void* mine, const std::vector<int>& counts, std::size_t element_bytes,
                          void* all) const override {
    meeting_.values[static_cast<std::size_t>(rank_)] = mine;
    meeting_.barrier.arrive_and_wait();
    if (meeting_.failed) throw std::runtime_error("another rank has failed");
    auto* next = static_cast<std::byte*>(all);
    for (std::size_t r = 0; r < counts.size(); ++r)
      next = std::copy_n(static_cast<const std::byte*>(meeting_.values[r]),
                         static_cast<std::size_t>(counts[r]) * element_bytes, next);
    meeting_.barrier.arrive_and_wait();
  }

  Meeting& meeting_;
  int rank_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Collective&)>& body) {
  Meeting meeting(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&meeting, &body, rank] {
      try {
        ThreadCollective collective(meeting, rank);
        body(collective);
      } catch (...) {
        meeting.fail(std::current_exception());
      }
      meeting.barrier.arrive_and_drop();  // the others must not wait for a rank that has left
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (meeting.error) std::rethrow_exception(meeting.error);
}

}  // namespace cpbench
