#include "cli/commands/rank_job.hpp"

#include "run/poison.hpp"

namespace cpbench {

Part part_of(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return Part::kForward;
    case Pass::kBackward:
      return Part::kBackward;
    case Pass::kForwardBackward:
      break;
  }
  return Part::kAll;
}

RankJob::RankJob(const Schedule& schedule, const Communicator& ranks, const Settings& settings)
    : schedule_(schedule),
      ranks_(ranks),
      settings_(settings),
      backend_(settings.kernel, settings.threads),
      mpi_(ranks),
      transport_(mpi_, ranks.rank(), settings.link),
      buffers_(schedule.of.problem, program(), backend_),
      compute_only_program_(without_communication(program(), schedule.of)),
      comm_only_program_(without_compute(program(), schedule.of)),
      full_(buffers_, program(), backend_, transport_),
      compute_only_(buffers_, compute_only_program_, backend_, transport_),
      comm_only_(buffers_, comm_only_program_, backend_, transport_) {}

void RankJob::fill(const Inputs& inputs) {
  const OwnedBuffers& own = program().owned;
  const int threads = settings_.threads;
  inputs.fill(memory().view(own.q).first, Tensor::kQ, tokens(), threads);
  inputs.fill(memory().view(own.kv).first, Tensor::kK, tokens(), threads);
  inputs.fill(memory().view(own.kv).second, Tensor::kV, tokens(), threads);
  if (own.dout != kNoBuffer) inputs.fill(memory().view(own.dout).first, Tensor::kDout, tokens(), threads);
  if (own.sink == kNoBuffer) return;
  auto* sinks = reinterpret_cast<float*>(memory().buffers[static_cast<std::size_t>(own.sink)]);
  inputs.fill_sinks({sinks, static_cast<std::size_t>(schedule_.of.problem.heads)});
}

void RankJob::run_once_with(const Plant& plant) {
  FaultInjector injector(plant, memory(), backend_);
  Executor(buffers_, program(), backend_, transport_, injector).run(Part::kAll);
}

Measurement RankJob::measure() {
  const Part part = part_of(schedule_.of.pass);
  return cpbench::measure(
      ranks_, {.compute_only = compute_only_, .comm_only = comm_only_, .full = full_},
      {.warmup = settings_.warmup, .iterations = settings_.iterations, .part = part, .before_last = [&] {
         poison(memory(), part, backend_);
       }});
}

}  // namespace cpbench
