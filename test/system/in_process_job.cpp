#include "system/in_process_job.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "schedule/verify.hpp"

namespace cpbench::test {
namespace {

Schedule verified_schedule(const Case& c) {
  Schedule schedule = build_schedule(c);
  const Verdict verdict = verify(schedule);
  if (!verdict.passed) throw std::logic_error(fmt::format("a program is wrong: {}", fmt::join(verdict.faults, "; ")));
  return schedule;
}

/// Copies the rows of a rank's tensor to their tokens' places.
void scatter(const TensorView& from, const std::vector<std::int64_t>& token_of, Tensor4& to) {
  with_type(from.dtype, [&]<typename T>(T) {
    for (std::int64_t b = 0; b < to.batch; ++b) {
      for (std::int64_t row = 0; row < from.rows; ++row) {
        for (std::int64_t head = 0; head < to.heads; ++head) {
          const T* values = from.at<const T>(b, row, head);
          std::transform(values, values + to.dim, to.at(b, token_of[index(row)], head),
                         [](T value) { return static_cast<double>(to_float(value)); });
        }
      }
    }
  });
}

/// `attend 3 (op 17)` for the first operation of each stream that a pass has not finished.
std::string unfinished_operations(const Program& program, const Executor& executor, Pass pass) {
  std::set<OpId> done;
  for (const Span& span : executor.spans()) done.insert(span.op);
  std::set<Stream> seen;
  std::string text;
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()); ++id) {
    const Op& op = program.ops[index(id)];
    if (!belongs_to(op, pass) || done.contains(id) || !seen.insert(op.stream).second) continue;
    text += fmt::format(" {} (op {})", to_string(op.label), id);
  }
  return text.empty() ? " nothing" : text;
}

}  // namespace

/// Members refer to those before them.
struct InProcessJob::Rank {
  Rank(const Schedule& schedule, int rank, const JobOptions& options, std::unique_ptr<Backend> its_backend,
       Transport& transport)
      : backend(std::move(its_backend)),
        program(schedule.programs[index(rank)]),
        tokens(schedule.tokens[index(rank)]),
        buffers(schedule.of.problem, program, *backend),
        interpretation(std::make_unique<Interpretation>()) {
    if (options.plant) {
      interpretation =
          std::make_unique<FaultInjector>(options.plant(schedule, rank), buffers.memory_of(program), *backend);
    }
    executor = std::make_unique<Executor>(buffers, program, *backend, transport, *interpretation);
    host.emplace(executor->memory(), *backend);
  }

  const std::unique_ptr<Backend> backend;
  const Program& program;
  const Tokens& tokens;
  BufferSet buffers;
  std::unique_ptr<Interpretation> interpretation;
  std::unique_ptr<Executor> executor;
  std::optional<HostBuffers> host;
  bool finished = true;
};

InProcessJob::InProcessJob(const Case& c, const Inputs& inputs, JobOptions options)
    : InProcessJob(verified_schedule(c), inputs, std::move(options)) {}

InProcessJob::InProcessJob(Schedule schedule, const Inputs& inputs, JobOptions options)
    : options_(std::move(options)),
      schedule_(std::move(schedule)),
      random_(options_.disorder.seed),
      hub_(schedule_.of.cp_size(), options_.disorder.max_delay, options_.disorder.seed) {
  for (int rank = 0; rank < schedule_.of.cp_size(); ++rank) {
    ranks_.push_back(std::make_unique<Rank>(schedule_, rank, options_, make_backend(), hub_.transport(rank)));
  }
  fill_inputs(inputs);
}

InProcessJob::~InProcessJob() = default;

std::unique_ptr<Backend> InProcessJob::make_backend() const {
  return options_.make_backend ? options_.make_backend() : std::make_unique<CpuBackend>(options_.kernel, 1);
}

void InProcessJob::fill_inputs(const Inputs& inputs) {
  for (const auto& rank : ranks_) {
    for (const BufferId id : rank->program.owned.inputs()) {
      inputs.fill(rank->host->view(id), rank->program.buffer(id).role, rank->tokens);
      rank->host->store(id);
    }
  }
}

void InProcessJob::run(Pass pass) {
  for (const auto& rank : ranks_) {
    rank->executor->start(pass);
    rank->finished = false;
  }
  // Every round tests each rank's messages, so a delayed delivery comes after at most max_delay rounds.
  int idle_rounds = 0;
  for (std::size_t done = 0; !advance_all(); done = operations_done()) {
    idle_rounds = operations_done() == done ? idle_rounds + 1 : 0;
    if (idle_rounds > options_.disorder.max_delay + options_.patience) report_standstill(pass);
  }
}

/// Lets every unfinished rank do one to three things, in random order. True when all have finished.
bool InProcessJob::advance_all() {
  std::vector<Rank*> order;
  for (const auto& rank : ranks_) {
    if (!rank->finished) order.push_back(rank.get());
  }
  std::ranges::shuffle(order, random_);
  for (Rank* rank : order) {
    for (auto times = 1 + random_() % 3; times > 0 && !rank->finished; --times) {
      rank->finished = rank->executor->advance();
    }
  }
  return std::ranges::all_of(ranks_, [](const auto& rank) { return rank->finished; });
}

std::size_t InProcessJob::operations_done() const {
  std::size_t done = 0;
  for (const auto& rank : ranks_) done += rank->executor->done_count();
  return done;
}

void InProcessJob::report_standstill(Pass pass) const {
  std::string text = "the job stands still; unfinished:";
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    text += fmt::format("\n  rank {}:{}", rank,
                        unfinished_operations(ranks_[rank]->program, *ranks_[rank]->executor, pass));
  }
  throw std::logic_error(text);
}

Results InProcessJob::results() const {
  Results results = Results::for_problem(schedule_.of.problem);
  for (const auto& rank : ranks_) {
    const OwnedBuffers& own = rank->program.owned;
    const ProgramMemory& host = rank->host->fetch(own.results());
    const std::vector<std::int64_t> token_of = expand(rank->tokens);
    scatter(host.view(own.out).first, token_of, results.out);
    scatter(host.view(own.lse).first, token_of, results.lse);
    if (own.dq == kNoBuffer) continue;
    scatter(host.view(own.dq).first, token_of, results.dq);
    scatter(host.view(own.dkv).first, token_of, results.dk);
    scatter(host.view(own.dkv).second, token_of, results.dv);
    if (own.dsink != kNoBuffer) scatter(host.view(own.dsink).first, {0}, results.dsink);
  }
  return results;
}

}  // namespace cpbench::test
