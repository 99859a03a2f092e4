#include "cli/commands/rank_job.hpp"

#include <cstdio>
#include <utility>
#include <vector>

#include "cli/commands/together.hpp"
#include "run/make_ready.hpp"
#include "run/poison.hpp"
#include "support/error.hpp"

namespace cpbench {

RankJob::RankJob(const Schedule& schedule, const Communicator& ranks, const Settings& settings)
    : schedule_(schedule),
      ranks_(ranks),
      settings_(settings),
      compute_only_program_(without_communication(program(), schedule.of)),
      comm_only_program_(without_compute(program(), schedule.of)) {
  // What was free a moment ago may be gone, for one rank alone: agreed before each step that takes all of them.
  together(ranks, [&] {
    BackendOptions options = settings.backend_options();
    options.reserved_multiprocessors = settings.reserved_multiprocessors(program(), ranks);
    backend_ = settings.device.platform->make(options);
    buffers_.emplace(schedule.of.problem, program(), *backend_);
  });
  together(ranks, [&] {
    carried_ = settings.route.make(ranks, *backend_, {.comm_ctas = settings.comm_ctas(ranks.size())});
    if (!carried_->is_queued()) emulated_.emplace(*carried_, ranks.rank(), settings.link);
    full_.emplace(*buffers_, program(), *backend_, transport());
    compute_only_.emplace(*buffers_, compute_only_program_, *backend_, transport());
    comm_only_.emplace(*buffers_, comm_only_program_, *backend_, transport());
    host_.emplace(full_->memory(), *backend_);
  });
}

void RankJob::fill(const Inputs& inputs) {
  for (const BufferId id : program().owned.inputs()) {
    inputs.fill(host_->view(id), program().buffer(id).role, tokens(), settings_.threads);
    host_->store(id);
  }
}

const ProgramMemory& RankJob::results() { return host_->fetch(program().owned.results()); }

void RankJob::make_ready(std::initializer_list<Executor*> executors, Pass pass) {
  const std::vector<Executor*> these = executors;
  const std::string obstacle = cpbench::make_ready(ranks_, backend_->queues(), these, pass);
  if (obstacle.empty()) return;
  for (auto* executor : {&full_, &compute_only_, &comm_only_}) (*executor)->forget_graphs();
  static bool is_said = false;
  if (ranks_.rank() == 0 && !std::exchange(is_said, true)) {
    fmt::print(stderr, "cpbench: warning: {}: work is queued operation by operation, as with --no-graphs\n", obstacle);
  }
}

void RankJob::run_once() {
  make_ready({&*full_}, Pass::kForwardBackward);
  poison(full_->memory(), Pass::kForwardBackward, *backend_);
  full_->run(Pass::kForwardBackward);
}

void RankJob::run_once_with(const Plant& plant) {
  std::optional<Executor> planted;
  together(ranks_, [&] {
    const FaultInjector& injector = injectors_.emplace_back(plant, full_->memory(), *backend_);
    planted.emplace(*buffers_, program(), *backend_, transport(), injector);
  });
  make_ready({&*planted}, Pass::kForwardBackward);
  planted->run(Pass::kForwardBackward);
}

Measurement RankJob::measure(const std::function<void(int done, int iterations)>& progressed) {
  const Pass pass = schedule_.of.pass;
  // Before anything is timed, also where nothing warms up.
  make_ready({&*full_, &*compute_only_, &*comm_only_}, pass);
  if (pass == Pass::kBackward) make_ready({&*full_}, Pass::kForward);
  return cpbench::measure(ranks_, {.compute_only = *compute_only_, .comm_only = *comm_only_, .full = *full_},
                          {.warmup = settings_.warmup,
                           .iterations = settings_.iterations,
                           .pass = pass,
                           .before_last = [&] { poison(full_->memory(), pass, *backend_); },
                           .progressed = progressed});
}

void with_rank_job(const Schedule& schedule, const Communicator& ranks, const Settings& settings,
                   const std::function<void(RankJob& job)>& use) {
  RankJob job(schedule, ranks, settings);
  together(ranks, [&] { use(job); });
}

}  // namespace cpbench
