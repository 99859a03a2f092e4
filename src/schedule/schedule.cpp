#include "schedule/schedule.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <set>

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
  drop_copies(program);
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
    const std::size_t lists = program.tiles.capacity() * sizeof(Tile) + program.dependencies.capacity() * sizeof(OpId);
    return static_cast<std::int64_t>(ops.share(program.ops) + buffers.share(program.buffers) +
                                     transfers.share(program.transfers) + lists);
  }
};

/// The two closest ranks along each dimension of the grid, on one side or on both, and then the rank.
std::vector<int> with_neighbours(const Grid& grid, int rank) {
  const auto near = [](int coordinate, int size, int distance) {
    if (coordinate >= distance) return coordinate - distance;
    return coordinate + distance < size ? coordinate + distance : coordinate;
  };
  const int place = grid.place_of(rank), position = grid.ring_position_of(rank);
  const int window = position / grid.inner, index = position % grid.inner;
  std::vector<int> ranks;
  for (const int distance : {2, 1}) {
    ranks.push_back(grid.rank_of(near(place, grid.ulysses, distance), position));
    ranks.push_back(grid.rank_of(place, near(window, grid.outer, distance) * grid.inner + index));
    ranks.push_back(grid.rank_of(place, window * grid.inner + near(index, grid.inner, distance)));
  }
  ranks.push_back(rank);
  return ranks;
}

/// What is known of the memory for some ranks' programs.
struct RankBytes {
  double unfinished = 0;         ///< where they are pruned: beside those before them
  double pruning = 0;            ///< what prunes them
  double finished = 0, own = 0;  ///< finished, as if nothing were pruned: beside those before them, and without any
  double verifying = 0;          ///< what proves them, as if nothing were pruned
  double attended = 0;           ///< attended_part of each

  void add(const RankBytes& other, double times = 1) {
    unfinished += times * other.unfinished;
    pruning += times * other.pruning;
    finished += times * other.finished;
    own += times * other.own;
    verifying += times * other.verifying;
    attended += times * other.attended;
  }
  /// At most, with this part of the programs left by pruning.
  double peak(double left) const {
    // What pruning drops differs from rank to rank, and so do the programs that it leaves.
    const double rest = left < 1 ? own * left : finished;
    // Finished programs replace the others one by one, while these still share much.
    return std::max(unfinished + pruning + rest / 2,
                    rest + verifying * left + static_cast<double>(verification_bytes()));
  }
};

/// Measures what some ranks' programs take, each beside those before it.
class ProgramSizes {
 public:
  explicit ProgramSizes(const Case& c) : case_(c), shards_(make_shards(c)) {}

  RankBytes of_rank(int rank) {
    Program program = case_.algorithm->program(case_, shards_, rank);
    RankBytes bytes{.attended = 1};
    const bool prunes = case_.prune && may_be_pruned(program);
    if (prunes) {
      bytes.attended = attended_part(program);
      bytes.unfinished = static_cast<double>(unfinished_.share(program));
      bytes.pruning = static_cast<double>(pruning_bytes(program));
    }
    finish(program, case_, rank);
    if (prunes) bytes.own = static_cast<double>(Pools().share(program));
    bytes.finished = static_cast<double>(finished_.share(program));
    bytes.verifying = static_cast<double>(verification_bytes(program));
    return bytes;
  }

 private:
  const Case& case_;
  Shards shards_;
  Pools unfinished_, finished_;
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
  ProgramSizes sizes(c);
  // The more ranks a rank can share with the less it takes. So some ranks here and there, each with its neighbours, and
  // what the last one shares with all these, all other ranks share; what none shares is the mean of the places, as the
  // work may grow with the rank. What the first ones take is off by a small factor.
  constexpr int kFactor = 4;
  constexpr int kPlaces[] = {2, 5, 8, 11}, kParts = 13;  // not all of them where windows end
  RankBytes total, last, of_places;
  int places = 0;
  std::set<int> seen;
  const auto estimate = [&] {
    const auto samples = static_cast<double>(seen.size());
    RankBytes other, all = total;
    if (places > 0) other.add(of_places, 1.0 / places);
    other.unfinished = last.unfinished;
    other.finished = last.finished;
    all.add(other, c.cp_size() - samples);
    return static_cast<std::int64_t>(all.peak(seen.empty() ? 1 : total.attended / samples));
  };
  for (const int place : kPlaces) {
    if (estimate() / kFactor > limit) break;
    for (const int rank : with_neighbours(c.grid, c.cp_size() * place / kParts)) {
      if (!seen.insert(rank).second) continue;
      last = sizes.of_rank(rank);
      total.add(last);
    }
    of_places.add(last);
    ++places;
  }
  return estimate();
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

Program unpruned_program(const Case& c, int rank) {
  Program program = c.algorithm->program(c, make_shards(c), rank);
  finish(program, c, rank);
  return program;
}

Program without_communication(const Program& program, const Case& c) {
  return filtered(program, c, [](const Op& op) { return !std::holds_alternative<Exchange>(op.action); });
}

Program without_compute(const Program& program, const Case& c) {
  Program result = filtered(program, c, [](const Op& op) { return std::holds_alternative<Exchange>(op.action); });
  result.tiles = std::vector<Tile>();  // nobody attends them, and with documents they are most of a program
  return result;
}

Schedule without_compute(const Schedule& schedule) {
  Schedule result{.of = schedule.of, .tokens = schedule.tokens, .programs = {}, .pruned = schedule.pruned};
  result.programs.resize(schedule.programs.size());
  Pools pools;
  parallel_for_each(result.programs.size(), [&](std::size_t rank) {
    result.programs[rank] = without_compute(schedule.programs[rank], schedule.of);
    pools.share(result.programs[rank]);
  });
  return result;
}

}  // namespace cpbench
