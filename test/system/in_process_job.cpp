#include "system/in_process_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "schedule/verify.hpp"

namespace cpbench::test {
namespace {

Schedule verified_schedule(const Case& c) {
  Schedule schedule = build_schedule(c);
  require_verified(schedule);
  return schedule;
}

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

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

/// `attend 3 (op 17)` for the first operation of each stream that a part has not finished.
std::string unfinished_operations(const Program& program, const Executor& executor, Part part) {
  std::set<OpId> done;
  for (const Span& span : executor.spans()) done.insert(span.op);
  std::set<Stream> seen;
  std::string text;
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()); ++id) {
    const Op& op = program.ops[index(id)];
    const bool in_part = part == Part::kAll || op.backward == (part == Part::kBackward);
    if (!in_part || done.contains(id) || !seen.insert(op.stream).second) continue;
    text += fmt::format(" {} (op {})", to_string(op.label), id);
  }
  return text.empty() ? " nothing" : text;
}

}  // namespace

/// Members refer to those before them.
struct InProcessJob::Rank {
  Rank(const Schedule& schedule, int rank, const JobOptions& options, Backend& backend, Transport& transport)
      : program(schedule.programs[index(rank)]),
        tokens(schedule.tokens[index(rank)]),
        buffers(schedule.of.problem, program, backend),
        interpretation(std::make_unique<Interpretation>()) {
    if (options.plant) {
      interpretation =
          std::make_unique<FaultInjector>(options.plant(schedule, rank), buffers.memory_of(program), backend);
    }
    executor = std::make_unique<Executor>(buffers, program, backend, transport, *interpretation);
  }

  BufferView view(BufferId id) const { return executor->memory().view(id); }

  const Program& program;
  const Tokens& tokens;
  BufferSet buffers;
  std::unique_ptr<Interpretation> interpretation;
  std::unique_ptr<Executor> executor;
  bool finished = true;
};

InProcessJob::InProcessJob(const Case& c, const Inputs& inputs, JobOptions options)
    : InProcessJob(verified_schedule(c), inputs, std::move(options)) {}

InProcessJob::InProcessJob(Schedule schedule, const Inputs& inputs, JobOptions options)
    : options_(std::move(options)),
      schedule_(std::move(schedule)),
      random_(options_.disorder.seed),
      backend_(options_.kernel, 1),
      hub_(schedule_.of.cp_size(), options_.disorder.max_delay, options_.disorder.seed) {
  for (int rank = 0; rank < schedule_.of.cp_size(); ++rank) {
    ranks_.push_back(std::make_unique<Rank>(schedule_, rank, options_, backend_, hub_.transport(rank)));
  }
  fill_inputs(inputs);
}

InProcessJob::~InProcessJob() = default;

void InProcessJob::fill_inputs(const Inputs& inputs) {
  for (const auto& rank : ranks_) {
    const OwnedBuffers& own = rank->program.owned;
    inputs.fill(rank->view(own.q).first, Tensor::kQ, rank->tokens);
    inputs.fill(rank->view(own.kv).first, Tensor::kK, rank->tokens);
    inputs.fill(rank->view(own.kv).second, Tensor::kV, rank->tokens);
    if (own.dout != kNoBuffer) inputs.fill(rank->view(own.dout).first, Tensor::kDout, rank->tokens);
    if (own.sink == kNoBuffer) continue;
    inputs.fill_sinks({rank->view(own.sink).first.at<float>(0, 0, 0), index(schedule_.of.problem.heads)});
  }
}

void InProcessJob::run(Part part) {
  for (const auto& rank : ranks_) {
    rank->executor->start(part);
    rank->finished = false;
  }
  // Every round tests each rank's messages, so a delayed delivery comes after at most max_delay rounds.
  int idle_rounds = 0;
  for (std::size_t done = 0; !advance_all(); done = operations_done()) {
    idle_rounds = operations_done() == done ? idle_rounds + 1 : 0;
    if (idle_rounds > options_.disorder.max_delay + 2) report_standstill(part);
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

void InProcessJob::report_standstill(Part part) const {
  std::string text = "the job stands still; unfinished:";
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    text += fmt::format("\n  rank {}:{}", rank,
                        unfinished_operations(ranks_[rank]->program, *ranks_[rank]->executor, part));
  }
  throw std::logic_error(text);
}

Results InProcessJob::results() const {
  Results results = Results::for_problem(schedule_.of.problem);
  for (const auto& rank : ranks_) {
    const OwnedBuffers& own = rank->program.owned;
    const std::vector<std::int64_t> token_of = expand(rank->tokens);
    scatter(rank->view(own.out).first, token_of, results.out);
    scatter(rank->view(own.lse).first, token_of, results.lse);
    if (own.dq == kNoBuffer) continue;
    scatter(rank->view(own.dq).first, token_of, results.dq);
    scatter(rank->view(own.dkv).first, token_of, results.dk);
    scatter(rank->view(own.dkv).second, token_of, results.dv);
    if (own.dsink != kNoBuffer) scatter(rank->view(own.dsink).first, {0}, results.dsink);
  }
  return results;
}

}  // namespace cpbench::test
