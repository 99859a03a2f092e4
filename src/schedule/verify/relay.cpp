#include "schedule/verify/relay.hpp"

#include <utility>

namespace cpbench::verification {

Relay::Relay(Observer& target) : target_(target), teller_([this] { tell(); }) {}

void Relay::on_compute(int rank, OpId op) { push({.from = {rank, op, {}}, .to = {}, .is_transfer = false}); }

void Relay::on_transfer(const Endpoint& from, const Endpoint& to) {
  push({.from = from, .to = to, .is_transfer = true});
}

void Relay::finish() {
  pass_on();
  close();
  teller_.join();
  if (failure_) std::rethrow_exception(failure_);
}

void Relay::close() {
  {
    const std::lock_guard lock(mutex_);
    is_last_ = true;
  }
  changed_.notify_all();
}

void Relay::push(const Event& event) {
  collected_.push_back(event);
  if (collected_.size() == kBatch) pass_on();
}

void Relay::pass_on() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kMostWaiting; });
  waiting_.push_back(std::exchange(collected_, {}));
  changed_.notify_all();
}

void Relay::tell() {
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_last_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      batch = std::move(waiting_.front());
      waiting_.pop_front();
    }
    changed_.notify_all();
    if (failure_) continue;
    try {
      tell(batch);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
}

void Relay::tell(const Batch& batch) {
  for (const Event& event : batch) {
    if (event.is_transfer) {
      target_.on_transfer(event.from, event.to);
    } else {
      target_.on_compute(event.from.rank, event.from.op);
    }
  }
}

}  // namespace cpbench::verification
