#include "schedule/schedule.hpp"

#include <atomic>

#include "schedule/algorithm.hpp"
#include "schedule/passes.hpp"
#include "support/parallel.hpp"

namespace cpbench {
namespace {

void state_order(Program& program, const Case& c) {
  state_dependencies(program);
  if (!c.overlap) serialize(program);
}

/// The passes that look at one rank alone.
void finish(Program& program, const Case& c) {
  if (c.accumulate == Accumulate::kMerge) accumulate_by_merging(program);
  state_dependencies(program);
  share_buffers(program, c.pass == Pass::kBackward);
  state_order(program, c);
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

std::int64_t planning_bytes(const Case& c) {
  check(c);
  const Program program = c.algorithm->program(c, make_shards(c), 0);
  const auto bytes = [](const auto& pool) { return static_cast<std::int64_t>(pool.size() * sizeof(pool[0])); };
  const std::int64_t one =
      bytes(program.ops) + bytes(program.transfers) + bytes(program.tiles) + bytes(program.buffers);
  return one * c.cp_size();
}

Schedule build_schedule(const Case& c) {
  check(c);
  const Shards shards = make_shards(c);
  Schedule schedule{.of = c, .tokens = shards.of_rank, .programs = {}};
  std::vector<Program>& programs = schedule.programs;
  programs.resize(static_cast<std::size_t>(c.cp_size()));
  // Programs take much more memory before they are finished. Only pruning needs all of them so.
  std::atomic<bool> prunes = false;
  parallel_for_each(programs.size(), [&](std::size_t rank) {
    if (prunes) return;
    programs[rank] = c.algorithm->program(c, shards, static_cast<int>(rank));
    if (c.prune && may_be_pruned(programs[rank])) prunes = true;
    if (!prunes) finish(programs[rank], c);
  });
  if (!prunes) return schedule;
  parallel_for_each(programs.size(), [&](std::size_t rank) {
    programs[rank] = c.algorithm->program(c, shards, static_cast<int>(rank));
  });
  prune(programs);
  parallel_for_each(programs.size(), [&](std::size_t rank) { finish(programs[rank], c); });
  return schedule;
}

Program without_communication(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return !std::holds_alternative<Exchange>(op.action); });
}

Program without_compute(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return std::holds_alternative<Exchange>(op.action); });
}

}  // namespace cpbench
