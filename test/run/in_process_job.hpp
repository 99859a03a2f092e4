// All ranks of a schedule in this thread, over a loopback transport.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "run/executor.hpp"
#include "run/fault_injector.hpp"
#include "schedule/schedule.hpp"
#include "transport/loopback.hpp"

namespace cpbench {

/// How the ranks get out of step, of which nothing may show in the results, and what is wrong with them.
struct JobOptions {
  int max_delay = 0;       ///< of messages, in calls of Transport::test
  std::uint64_t seed = 0;  ///< of the delays and of the order in which ranks advance
  /// What to plant on a rank; nothing where it is not set.
  std::function<Plant(const Schedule&, int rank)> plant = {};
  int patience = 2;  ///< rounds in which nothing is done before the job stands still
};

class InProcessJob {
 public:
  /// `schedule` and `backend` must outlive the job.
  InProcessJob(const Schedule& schedule, Backend& backend, const JobOptions& options = {});
  /// The same with a backend for each rank.
  InProcessJob(const Schedule& schedule, const std::vector<std::unique_ptr<Backend>>& backends,
               const JobOptions& options = {});

  int ranks() const { return static_cast<int>(schedule_.programs.size()); }
  Executor& rank(int r) { return executors_[static_cast<std::size_t>(r)]; }
  const Program& program(int r) const { return schedule_.programs[static_cast<std::size_t>(r)]; }

  /// Runs a pass of every rank's program to its end. A job that stands still is a std::logic_error that names what each
  /// rank is waiting with. May be called again and again.
  void run(Pass pass);

 private:
  InProcessJob(const Schedule& schedule, const std::function<Backend&(std::size_t rank)>& backend_of,
               const JobOptions& options);
  bool advance(Executor& executor);
  std::size_t operations_done() const;
  [[noreturn]] void report_standstill(Pass pass) const;

  const Schedule& schedule_;
  const int most_idle_rounds_;
  std::mt19937_64 random_;
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
