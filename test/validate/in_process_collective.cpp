#include "validate/in_process_collective.hpp"

#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace cpbench {
namespace {

/// What the threads of a job share: a place for each rank's values, and the first exception.
struct Meeting {
  explicit Meeting(int ranks) : values(static_cast<std::size_t>(ranks)), barrier(ranks) {}

  void fail(std::exception_ptr exception) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(exception);
    failed = true;
  }

  std::vector<std::vector<double>> values;
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
  std::vector<std::vector<double>> allgather(std::span<const double> values) override {
    meeting_.values[static_cast<std::size_t>(rank_)].assign(values.begin(), values.end());
    meeting_.barrier.arrive_and_wait();
    if (meeting_.failed) throw std::runtime_error("another rank has failed");
    auto all = meeting_.values;
    meeting_.barrier.arrive_and_wait();
    return all;
  }

 private:
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
