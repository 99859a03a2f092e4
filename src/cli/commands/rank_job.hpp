// One rank's part in one point: its programs, their memory, and what executes them.
#pragma once

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>

#include "cli/commands/settings.hpp"
#include "run/buffer_set.hpp"
#include "run/executor.hpp"
#include "run/fault_injector.hpp"
#include "run/host_buffers.hpp"
#include "run/measure.hpp"
#include "schedule/schedule.hpp"
#include "transport/communicator.hpp"
#include "transport/emulated_link.hpp"

namespace cpbench {

class RankJob {
 public:
  /// Collective. `schedule` must outlive it.
  RankJob(const Schedule& schedule, const Communicator& ranks, const Settings& settings);

  const Program& program() const { return schedule_.programs[static_cast<std::size_t>(ranks_.rank())]; }
  const Tokens& tokens() const { return schedule_.tokens[static_cast<std::size_t>(ranks_.rank())]; }
  /// What the rank's result buffers hold, as the host sees it.
  const ProgramMemory& results();
  const Backend& backend() const { return *backend_; }
  /// Of what measures: of Executor.
  std::int64_t longest_unpolled_ns() const { return full_->longest_unpolled_ns(); }

  void fill(const Inputs& inputs);
  /// Runs the program once, forward part included. What it makes is poisoned before: memory that happens to be zero is
  /// no start of a sum.
  void run_once();
  /// The same with a fault planted (run/fault.hpp).
  void run_once_with(const Plant& plant);
  /// What the last iteration makes is poisoned before it, so that the buffers hold its work and no other.
  /// `progressed`: of MeasureOptions.
  Measurement measure(const std::function<void(int done, int iterations)>& progressed);

 private:
  const Schedule& schedule_;
  const Communicator& ranks_;
  const Settings& settings_;
  Transport& transport() { return emulated_ ? *emulated_ : *carried_; }
  /// What a pass needs once, on all ranks: with graphs, or where one cannot make them without, and rank 0 says so.
  void make_ready(std::initializer_list<Executor*> executors, Pass pass);

  std::unique_ptr<Backend> backend_;
  std::optional<BufferSet> buffers_;
  std::deque<FaultInjector> injectors_;  ///< kept: peers may have their memory open
  std::unique_ptr<Transport> carried_;
  std::optional<EmulatedLink> emulated_;  ///< of messages that the host moves
  Program compute_only_program_, comm_only_program_;
  std::optional<Executor> full_, compute_only_, comm_only_;
  std::optional<HostBuffers> host_;
};

/// Collective: makes a job on all of `ranks` (the point's cp_size), hands it to `use` and destroys it, all of them or
/// none (together.hpp): no memory is freed that another rank, or its GPU, may still touch.
void with_rank_job(const Schedule& schedule, const Communicator& ranks, const Settings& settings,
                   const std::function<void(RankJob& job)>& use);

}  // namespace cpbench
