// Runs the threads of a block as fibers of one OS thread. A fiber runs until it waits.
//
// boost::context's plain functions, not its fiber class: a launch that ends with a fault leaves its fibers where they
// are, and the class would unwind their stacks through code that expects no exception.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "thread.hpp"
#include "vgpu/fault.hpp"
#include "vgpu/order.hpp"

namespace cpbench::vgpu {

class Scheduler {
 public:
  Scheduler();  ///< with the environment's order

  /// Runs `entry` once for each thread, on its stack. Returns when all have ended; `idle` is called when none can go on
  /// and must wake one or raise a fault, `meanwhile` now and then in random order. Throws the fault that a thread
  /// raised.
  void run(std::vector<Thread>& threads, void (*entry)(), void (*idle)(), void (*meanwhile)());

  /// By the running thread: waits until somebody wakes it.
  void suspend();
  void wake(Thread& thread);
  /// By the running thread: ends it.
  [[noreturn]] void exit();
  /// By the running thread: ends the whole run.
  [[noreturn]] void abort(const Fault& fault);

  Thread* running() const { return running_; }
  std::mt19937_64& random() { return random_; }
  OrderSettings settings() const { return settings_; }
  void set(OrderSettings settings);

 private:
  static constexpr unsigned kMeanwhileEvery = 16;

  Thread* take_ready();
  void go_to(Thread* next, void*& from);

  OrderSettings settings_{};
  std::mt19937_64 random_;
  std::deque<Thread*> ready_;
  Thread* running_ = nullptr;
  void* main_context_ = nullptr;
  void* abandoned_ = nullptr;
  void (*entry_)() = nullptr;
  void (*meanwhile_)() = nullptr;
  std::size_t done_ = 0;
  std::vector<Fault> fault_;  ///< at most one

  friend void start_fiber(void* caller, void* from);
};

extern Scheduler the_scheduler;
inline Scheduler& scheduler() { return the_scheduler; }

}  // namespace cpbench::vgpu
