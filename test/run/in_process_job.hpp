// All ranks of a schedule in this thread, over a loopback transport.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

#include "run/executor.hpp"
#include "run/fault_injector.hpp"
#include "schedule/schedule.hpp"
#include "transport/loopback.hpp"

namespace cpbench {

/// Ranks take turns, a step each. Deliveries are delayed at random where `max_delay` is positive.
class InProcessJob {
 public:
  /// `schedule` and `backend` must outlive the job. With `fault`, the executors run with it planted.
  InProcessJob(const Schedule& schedule, Backend& backend, int max_delay = 0, std::uint64_t seed = 0,
               std::optional<Fault> fault = {})
      : schedule_(schedule), hub_(static_cast<int>(schedule.programs.size()), max_delay, seed) {
    for (int rank = 0; rank < ranks(); ++rank) {
      const Program& program = schedule.programs[static_cast<std::size_t>(rank)];
      const BufferSet& buffers = buffers_.emplace_back(schedule.of.problem, program, backend);
      const Interpretation& interpretation =
          fault ? *interpretations_.emplace_back(std::make_unique<FaultInjector>(plant(*fault, schedule, rank),
                                                                                 buffers.memory_of(program), backend))
                : *interpretations_.emplace_back(std::make_unique<Interpretation>());
      executors_.emplace_back(buffers, program, backend, hub_.transport(rank), interpretation);
    }
  }

  int ranks() const { return static_cast<int>(schedule_.programs.size()); }
  Executor& rank(int r) { return executors_[static_cast<std::size_t>(r)]; }
  const Program& program(int r) const { return schedule_.programs[static_cast<std::size_t>(r)]; }

  /// Throws std::logic_error where the ranks wait for each other.
  void run(Pass pass) {
    constexpr int kPatience = 10'000;  // rounds without an operation done, far beyond any delay
    for (Executor& executor : executors_) executor.start(pass);
    int idle_rounds = 0;
    for (std::size_t done_before = 0;;) {
      bool finished = true;
      std::size_t done = 0;
      for (Executor& executor : executors_) {
        finished &= executor.advance();
        done += executor.done_count();
      }
      if (finished) return;
      idle_rounds = done == done_before ? idle_rounds + 1 : 0;
      if (idle_rounds > kPatience) throw std::logic_error("the ranks wait for each other");
      done_before = done;
    }
  }

 private:
  const Schedule& schedule_;
  LoopbackHub hub_;
  std::deque<BufferSet> buffers_;
  std::vector<std::unique_ptr<Interpretation>> interpretations_;
  std::deque<Executor> executors_;
};

/// The elements of a buffer of fp32, in the order of memory.
inline std::span<float> floats_of(const ProgramMemory& memory, BufferId id) {
  const std::int64_t bytes = memory.program->buffer(id).bytes(memory.problem->batch);
  return {reinterpret_cast<float*>(memory.buffers[static_cast<std::size_t>(id)]), static_cast<std::size_t>(bytes / 4)};
}

}  // namespace cpbench
