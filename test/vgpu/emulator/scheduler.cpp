#include "scheduler.hpp"

#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>
#include <string_view>

#include "fault_message.hpp"
#include "vgpu/ptx.hpp"

namespace cpbench::vgpu {

namespace context = boost::context::detail;

Position position{};

namespace {

OrderSettings settings_of_environment() {
  OrderSettings settings;
  if (const char* order = std::getenv("CPBENCH_VGPU_ORDER")) {
    const std::string_view name = order;
    if (name == "eager") {
      settings.order = Order::kEager;
    } else if (name == "late") {
      settings.order = Order::kLate;
    } else if (name != "random") {
      fail(FaultKind::kMisuse, "CPBENCH_VGPU_ORDER is eager, late or random, not {}", name);
    }
  }
  if (const char* seed = std::getenv("CPBENCH_VGPU_SEED")) settings.seed = std::strtoull(seed, nullptr, 10);
  return settings;
}

/// Where each switch arrives: who was left keeps where it goes on.
void arrive(context::transfer_t transfer) { *static_cast<void**>(transfer.data) = transfer.fctx; }

}  // namespace

void start_fiber(void* caller, void* from) {
  arrive({caller, from});
  scheduler().entry_();
  scheduler().exit();
}

Scheduler the_scheduler;
Scheduler::Scheduler() { set(settings_of_environment()); }

void set_order(OrderSettings settings) { scheduler().set(settings); }
OrderSettings order_settings() { return scheduler().settings(); }

void Scheduler::set(OrderSettings settings) {
  settings_ = settings;
  random_.seed(settings.seed);
}

void Scheduler::run(std::vector<Thread>& threads, void (*entry)(), void (*idle)(), void (*meanwhile)()) {
  entry_ = entry;
  meanwhile_ = meanwhile;
  done_ = 0;
  ready_.clear();
  for (Thread& thread : threads) {
    std::byte* const top = kStacks.at((static_cast<std::size_t>(thread.index) + 1) * kStackBytes);
    thread.context = context::make_fcontext(
        top, kStackBytes, [](context::transfer_t transfer) { start_fiber(transfer.fctx, transfer.data); });
    thread.state = Thread::State::kReady;
    ready_.push_back(&thread);
  }
  while (done_ < threads.size()) {
    if (Thread* const next = take_ready()) {
      go_to(next, main_context_);
      running_ = nullptr;
    } else {
      idle();
    }
    if (!fault_.empty()) {
      const Fault fault = fault_.back();
      fault_.clear();
      throw fault;
    }
  }
}

Thread* Scheduler::take_ready() {
  if (ready_.empty()) return nullptr;
  if (settings_.order == Order::kRandom) {
    std::swap(ready_[random_() % ready_.size()], ready_.back());
  }
  Thread* next = nullptr;
  if (settings_.order == Order::kEager) {
    next = ready_.front();
    ready_.pop_front();
  } else {
    next = ready_.back();
    ready_.pop_back();
  }
  return next;
}

void Scheduler::go_to(Thread* next, void*& from) {
  running_ = next;
  if (next != nullptr) position.thread = next->index;
  arrive(context::jump_fcontext(next != nullptr ? next->context : main_context_, &from));
}

void Scheduler::suspend() {
  Thread& thread = *running_;
  thread.state = Thread::State::kWaiting;
  if (settings_.order == Order::kRandom && random_() % kMeanwhileEvery == 0) meanwhile_();
  Thread* const next = take_ready();
  if (next != &thread) go_to(next, thread.context);  // else it was woken meanwhile
}

void Scheduler::wake(Thread& thread) {
  thread.state = Thread::State::kReady;
  ready_.push_back(&thread);
}

void Scheduler::exit() {
  running_->state = Thread::State::kDone;
  ++done_;
  go_to(take_ready(), abandoned_);
  std::abort();  // nobody comes back here
}

void Scheduler::abort(const Fault& fault) {
  fault_.push_back(fault);
  ready_.clear();
  go_to(nullptr, abandoned_);
  std::abort();
}

}  // namespace cpbench::vgpu
