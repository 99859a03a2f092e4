#include "run/in_process_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

namespace cpbench {
namespace {

/// `attend 3 (op 17)` for the first operation of each stream that a pass has not finished.
std::string unfinished_operations(const Program& program, const Executor& executor, Pass pass) {
  std::set<OpId> done;
  for (const Span& span : executor.spans()) done.insert(span.op);
  std::set<Stream> seen;
  std::string text;
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()); ++id) {
    const Op& op = program.ops[static_cast<std::size_t>(id)];
    if (!belongs_to(op, pass) || done.contains(id) || !seen.insert(op.stream).second) continue;
    text += fmt::format(" {} (op {})", to_string(op.label), id);
  }
  return text.empty() ? " nothing" : text;
}

}  // namespace

InProcessJob::InProcessJob(const Schedule& schedule, Backend& backend, const JobOptions& options)
    : InProcessJob(
          schedule, [&](std::size_t) -> Backend& { return backend; }, options) {}

InProcessJob::InProcessJob(const Schedule& schedule, const std::vector<std::unique_ptr<Backend>>& backends,
                           const JobOptions& options)
    : InProcessJob(
          schedule, [&](std::size_t rank) -> Backend& { return *backends[rank]; }, options) {}

InProcessJob::InProcessJob(const Schedule& schedule, const std::function<Backend&(std::size_t rank)>& backend_of,
                           const JobOptions& options)
    : schedule_(schedule),
      // Every round tests each rank's messages, so a delayed delivery comes after at most max_delay rounds.
      most_idle_rounds_(options.max_delay + options.patience),
      random_(options.seed),
      hub_(ranks(), options.max_delay, options.seed) {
  for (int rank = 0; rank < ranks(); ++rank) {
    Backend& backend = backend_of(static_cast<std::size_t>(rank));
    const BufferSet& buffers = buffers_.emplace_back(schedule.of.problem, program(rank), backend);
    auto& interpretation = interpretations_.emplace_back(std::make_unique<Interpretation>());
    if (options.plant) {
      interpretation =
          std::make_unique<FaultInjector>(options.plant(schedule, rank), buffers.memory_of(program(rank)), backend);
    }
    executors_.emplace_back(buffers, program(rank), backend, hub_.transport(rank), *interpretation);
  }
}

void InProcessJob::run(Pass pass) {
  std::vector<Executor*> unfinished;
  for (Executor& executor : executors_) {
    executor.start(pass);
    unfinished.push_back(&executor);
  }
  int idle_rounds = 0;
  for (std::size_t done_before = 0; !unfinished.empty(); done_before = operations_done()) {
    std::ranges::shuffle(unfinished, random_);
    std::erase_if(unfinished, [&](Executor* executor) { return advance(*executor); });
    idle_rounds = operations_done() == done_before ? idle_rounds + 1 : 0;
    if (!unfinished.empty() && idle_rounds > most_idle_rounds_) report_standstill(pass);
  }
}

/// By one to three things; whether it has finished.
bool InProcessJob::advance(Executor& executor) {
  bool finished = false;
  for (auto times = 1 + random_() % 3; times > 0 && !finished; --times) finished = executor.advance();
  return finished;
}

std::size_t InProcessJob::operations_done() const {
  std::size_t done = 0;
  for (const Executor& executor : executors_) done += executor.done_count();
  return done;
}

void InProcessJob::report_standstill(Pass pass) const {
  std::string text = "the job stands still; unfinished:";
  for (int rank = 0; rank < ranks(); ++rank) {
    text += fmt::format("\n  rank {}:{}", rank,
                        unfinished_operations(program(rank), executors_[static_cast<std::size_t>(rank)], pass));
  }
  throw std::logic_error(text);
}

}  // namespace cpbench
