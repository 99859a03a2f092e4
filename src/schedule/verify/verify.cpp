#include "schedule/verify.hpp"

#include <fmt/ranges.h>

#include <stdexcept>

#include "schedule/verify/coverage.hpp"
#include "schedule/verify/data_flow.hpp"
#include "schedule/verify/hazards.hpp"
#include "schedule/verify/matching.hpp"
#include "schedule/verify/ownership.hpp"
#include "schedule/verify/shapes.hpp"
#include "support/parallel.hpp"

namespace cpbench {
namespace {

using verification::Faults;

/// The faults of checks that look at one rank alone, in the order of ranks.
template <typename Check>
void check_each_rank(std::size_t ranks, Faults& faults, Check&& check) {
  std::vector<Faults> found(ranks);
  parallel_for_each(ranks, [&](std::size_t rank) { check(rank, found[rank]); });
  for (Faults& of_rank : found) faults.add_all(of_rank.take());
}

/// One check after the other: each presumes that those before it found nothing.
void run_checks(const Schedule& schedule, Faults& faults) {
  const Case& c = schedule.of;
  const std::size_t ranks = schedule.programs.size();
  if (schedule.tokens.size() != ranks || ranks == 0) {
    return faults.add("tokens of {} ranks, but programs of {}", schedule.tokens.size(), ranks);
  }
  verification::check_partition(schedule.tokens, c.problem.seq_len, faults);
  if (!faults.none()) return;

  check_each_rank(ranks, faults, [&](std::size_t rank, Faults& found) {
    verification::check_shapes(c.problem, schedule.programs[rank], static_cast<int>(rank), static_cast<int>(ranks),
                               count_of(schedule.tokens[rank]), found);
  });
  if (!faults.none()) return;

  check_each_rank(ranks, faults, [&](std::size_t rank, Faults& found) {
    verification::check_hazards(c.pass, schedule.programs[rank], static_cast<int>(rank), found);
  });
  if (!faults.none()) return;

  const verification::Positions positions(schedule.tokens);
  verification::DataFlow flow(schedule, positions, faults);
  verification::match_exchanges(schedule, flow, faults);
  if (faults.none()) flow.check_results();
  if (!faults.none()) return;

  verification::Coverage coverage(schedule, positions, flow.row_maps(), flow.provenance());
  for (const auto& [claim, holder] : flow.claims()) {
    if (faults.full()) return;
    coverage.check(claim, holder, faults);
  }
}

}  // namespace

Verdict verify(const Schedule& schedule) {
  Faults faults;
  run_checks(schedule, faults);
  return {.passed = faults.none(), .faults = faults.take()};
}

void require_verified(const Schedule& schedule) {
  const Verdict verdict = verify(schedule);
  if (!verdict.passed) throw std::logic_error(fmt::format("a program is wrong: {}", fmt::join(verdict.faults, "; ")));
}

}  // namespace cpbench
