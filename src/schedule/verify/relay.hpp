// Two threads for what happens and for what follows from it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "schedule/verify/matching.hpp"

namespace cpbench::verification {

/// Tells another observer what it is told, in the same order, on a thread of its own: matching thousands of programs
/// and following their data take about as long, and neither waits for memory that the other has just used.
class Relay : public Observer {
  struct Event {
    Endpoint from, to;  ///< of an operation: `from` alone, without region
    bool is_transfer;
  };
  using Batch = std::vector<Event>;
  static constexpr std::size_t kBatch = 1 << 12;  ///< events, a third of a megabyte
  static constexpr std::size_t kMostWaiting = 8;  ///< batches

 public:
  /// What it takes: the batches that wait, the one that is collected and the one that is told.
  static constexpr std::size_t kMostBytes = (kMostWaiting + 2) * kBatch * sizeof(Event);

  /// `target` is told from now on, and must outlive this.
  explicit Relay(Observer& target);
  ~Relay() override { close(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void on_compute(int rank, OpId op) override;
  void on_transfer(const Endpoint& from, const Endpoint& to) override;
  /// Returns when the target has been told everything. Throws what it threw; after that it was told nothing more.
  void finish();

 private:
  void push(const Event& event);
  void close();
  void pass_on();
  void tell();
  void tell(const Batch& batch);

  Observer& target_;
  Batch collected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> waiting_;
  bool is_last_ = false;
  std::exception_ptr failure_;
  std::jthread teller_;  ///< last: it uses all of the above
};

}  // namespace cpbench::verification
