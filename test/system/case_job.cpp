#include "system/case_job.hpp"

#include <fmt/ranges.h>

#include <algorithm>
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
void scatter(const TensorView& view, const std::vector<std::int64_t>& token_of, Dense& to) {
  const Dense from = read(view);
  for (std::int64_t b = 0; b < from.batch; ++b) {
    for (std::int64_t row = 0; row < from.rows; ++row) {
      for (std::int64_t head = 0; head < from.heads; ++head) {
        std::copy_n(from.at(b, row, head), from.dim, to.at(b, token_of[index(row)], head));
      }
    }
  }
}

std::vector<std::unique_ptr<Backend>> one_for_each_rank(const MakeBackend& make_backend, const Schedule& schedule) {
  std::vector<std::unique_ptr<Backend>> backends(schedule.programs.size());
  std::ranges::generate(backends, make_backend);
  return backends;
}

}  // namespace

CaseJob::CaseJob(const Case& c, const Inputs& inputs, const MakeBackend& make_backend, const JobOptions& options)
    : schedule_(verified_schedule(c)),
      backends_(one_for_each_rank(make_backend, schedule_)),
      job_(schedule_, backends_, options) {
  for (int rank = 0; rank < job_.ranks(); ++rank) {
    HostBuffers& host = hosts_.emplace_back(job_.rank(rank).memory(), *backends_[index(rank)]);
    for (const BufferId id : job_.program(rank).owned.inputs()) {
      inputs.fill(host.view(id), job_.program(rank).buffer(id).role, schedule_.tokens[index(rank)]);
      host.store(id);
    }
  }
}

Results CaseJob::results() {
  Results results = Results::for_problem(schedule_.of.problem);
  for (int rank = 0; rank < job_.ranks(); ++rank) {
    const OwnedBuffers& own = job_.program(rank).owned;
    const ProgramMemory& host = hosts_[index(rank)].fetch(own.results());
    const std::vector<std::int64_t> token_of = expand(schedule_.tokens[index(rank)]);
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
