#include "schedule/schedule.hpp"

#include "schedule/algorithms/algorithm.hpp"
#include "schedule/passes.hpp"
#include "support/parallel.hpp"

namespace cpbench {
namespace {

void state_order(Program& program, const Case& c) {
  state_dependencies(program);
  if (!c.overlap) serialize(program);
}

/// The program with only the operations that `keep` wants.
template <typename Predicate>
Program filtered(const Program& program, const Case& c, Predicate keep) {
  Program result = program;
  std::erase_if(result.ops, [&](const Op& op) { return !keep(op); });
  state_order(result, c);
  return result;
}

}  // namespace

Schedule build_schedule(const Case& c) {
  check(c);
  Schedule schedule{.of = c, .tokens = {}, .programs = {}};
  const Shards shards = make_shards(c);
  schedule.programs.resize(static_cast<std::size_t>(c.cp_size()));
  parallel_for_each(schedule.programs.size(),
                    [&](std::size_t rank) { schedule.programs[rank] = program_of(c, shards, static_cast<int>(rank)); });
  schedule.tokens = shards.of_rank;
  if (c.prune) prune(schedule.programs);
  parallel_for_each(schedule.programs.size(), [&](std::size_t rank) {
    Program& program = schedule.programs[rank];
    if (c.accumulate == Accumulate::kMerge) accumulate_by_merging(program);
    state_dependencies(program);
    share_buffers(program, c.pass == Pass::kBackward);
    state_order(program, c);
  });
  return schedule;
}

Program without_communication(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return !std::holds_alternative<Exchange>(op.action); });
}

Program without_compute(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return std::holds_alternative<Exchange>(op.action); });
}

}  // namespace cpbench
