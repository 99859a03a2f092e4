#include "schedule/schedule.hpp"

#include <algorithm>
#include <atomic>

#include "schedule/algorithm.hpp"
#include "schedule/passes.hpp"
#include "schedule/verify.hpp"
#include "support/parallel.hpp"

namespace cpbench {
namespace {

void state_order(Program& program, const Case& c) {
  state_dependencies(program);
  if (!c.overlap) serialize(program);
}

/// The passes that look at one rank alone.
void finish(Program& program, const Case& c, int rank) {
  if (c.accumulate == Accumulate::kMerge) accumulate_by_merging(program);
  state_dependencies(program);
  share_buffers(program, c.pass == Pass::kBackward);
  state_links(program, c.grid, rank);
  intern_transfers(program);
  state_order(program, c);
}

/// What the programs of all ranks share.
struct Pools {
  PagePool<Op> ops;
  PagePool<Buffer> buffers;
  PagePool<Transfer> transfers;

  /// Returns how many bytes the program takes that none before it has taken.
  std::int64_t share(Program& program) {
    const std::size_t lists = program.tiles.size() * sizeof(Tile) + program.dependencies.size() * sizeof(OpId);
    return static_cast<std::int64_t>(ops.share(program.ops) + buffers.share(program.buffers) +
                                     transfers.share(program.transfers) + lists);
  }
};

/// The program with only the operations that `keep` wants.
template <typename Predicate>
Program filtered(const Program& program, const Case& c, Predicate keep) {
  Program result = program;
  erase_if(result.ops, [&](const Op& op) { return !keep(op); });
  state_order(result, c);
  return result;
}

}  // namespace

std::int64_t planning_bytes(const Case& c, std::int64_t limit) {
  check(c);
  const Shards shards = make_shards(c);
  Pools unfinished, finished;
  const auto bytes_of_rank = [&](int rank) {
    Program program = c.algorithm->program(c, shards, rank);
    const bool prunes = c.prune && may_be_pruned(program);
    const std::int64_t before = prunes ? unfinished.share(program) + pruning_bytes(program) : 0;
    finish(program, c, rank);  // as if nothing were pruned
    return before + finished.share(program) + verification_bytes(program);
  };
  // Three neighbours, here and there: what the third one takes beside the others, all other ranks take.
  constexpr int kPlaces = 4, kNeighbours = 3;
  std::int64_t total = 0, most = 0;
  int others = c.cp_size(), next = 0;
  for (int place = 0; place < kPlaces && next < c.cp_size() && total + most * others <= limit; ++place) {
    next = std::max(next, std::min(c.cp_size() - 1, c.cp_size() * (2 * place + 1) / (2 * kPlaces)));
    std::int64_t last = 0;
    for (const int end = std::min(next + kNeighbours, c.cp_size()); next < end; ++next, --others) {
      last = bytes_of_rank(next);
      total += last;
    }
    most = std::max(most, last);
  }
  return total + most * others;
}

Schedule build_schedule(const Case& c) {
  check(c);
  const Shards shards = make_shards(c);
  Schedule schedule{.of = c, .tokens = shards.of_rank, .programs = {}, .pruned = false};
  std::vector<Program>& programs = schedule.programs;
  programs.resize(static_cast<std::size_t>(c.cp_size()));
  Pools pools;
  const auto finish_and_share = [&](std::size_t rank) {
    finish(programs[rank], c, static_cast<int>(rank));
    pools.share(programs[rank]);
  };
  // Programs take much more memory before they are finished. Only pruning needs all of them so.
  std::atomic<bool> prunes = false;
  parallel_for_each(programs.size(), [&](std::size_t rank) {
    if (prunes) return;
    programs[rank] = c.algorithm->program(c, shards, static_cast<int>(rank));
    if (c.prune && may_be_pruned(programs[rank])) prunes = true;
    if (!prunes) finish_and_share(rank);
  });
  if (!prunes) return schedule;
  schedule.pruned = true;
  {
    Pools unfinished;
    parallel_for_each(programs.size(), [&](std::size_t rank) {
      programs[rank] = c.algorithm->program(c, shards, static_cast<int>(rank));
      unfinished.share(programs[rank]);
    });
  }
  prune(programs, finish_and_share);
  return schedule;
}

Program without_communication(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return !std::holds_alternative<Exchange>(op.action); });
}

Program without_compute(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return std::holds_alternative<Exchange>(op.action); });
}

}  // namespace cpbench
