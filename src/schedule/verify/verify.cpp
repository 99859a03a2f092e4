#include "schedule/verify.hpp"

#include <set>

#include "schedule/verify/coverage.hpp"
#include "schedule/verify/data_flow.hpp"
#include "schedule/verify/hazards.hpp"
#include "schedule/verify/matching.hpp"
#include "schedule/verify/ownership.hpp"
#include "schedule/verify/relay.hpp"
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

/// Claims do not depend on each other. Parts of many claims are worth a thread each.
void check_claims(const Schedule& schedule, const verification::Positions& positions,
                  const verification::DataFlow& flow, Faults& faults) {
  const std::vector<verification::NamedClaim>& claims = flow.claims();
  const std::size_t parts = std::min<std::size_t>(64, claims.size() / 64 + 1);
  verification::TileIndex tile_index;
  std::vector<Faults> found(parts);
  const auto check_part = [&](std::size_t part) {
    verification::Coverage coverage(schedule, positions, flow.row_maps(), flow.provenance(), tile_index);
    const std::size_t end = claims.size() * (part + 1) / parts;
    for (std::size_t i = claims.size() * part / parts; i < end && !found[part].full(); ++i) {
      coverage.check(claims[i].claim, claims[i].holder, found[part]);
    }
  };
  parallel_for_each(parts, check_part, /*items_per_thread=*/1);
  for (Faults& of_part : found) faults.add_all(of_part.take());
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
  Faults of_flow;
  verification::DataFlow flow(schedule, positions, of_flow);
  verification::Relay relay(flow);
  verification::match_exchanges(schedule, relay, faults);
  relay.finish();
  if (faults.none() && of_flow.none()) flow.check_results();
  faults.add_all(of_flow.take());
  if (!faults.none()) return;

  check_claims(schedule, positions, flow, faults);
}

}  // namespace

Verdict verify(const Schedule& schedule) {
  Faults faults;
  run_checks(schedule, faults);
  return {.passed = faults.none(), .faults = faults.take()};
}

std::int64_t verification_bytes(const Program& program) {
  using verification::Content, verification::ContentMap, verification::Event, verification::Node;
  std::size_t bytes = program.ops.size();  // its stream
  std::set<std::uint32_t> indexed;         // lists of tiles
  const auto index = [&](const Slice& tiles) {
    if (tiles.count > verification::TileIndex::kShort && indexed.insert(tiles.begin).second) {
      bytes += tiles.count * sizeof(Tile);
    }
  };
  for (const Op& op : program.ops) {
    if (const auto* a = std::get_if<Attend>(&op.action)) {
      bytes += sizeof(Event) + sizeof(Node);
      index(a->tiles);
    }
    if (const auto* a = std::get_if<AttendBackward>(&op.action)) {
      bytes += sizeof(Event) + 2 * sizeof(Node);
      index(a->tiles);
    }
    if (std::holds_alternative<Add>(op.action) || std::holds_alternative<Merge>(op.action)) bytes += sizeof(Node);
    if (const auto* exchange = std::get_if<Exchange>(&op.action)) {
      for (const Transfer& t : program.receives(*exchange)) {  // what arrives head by head stays apart
        if (t.region.head_count < program.buffer(t.region.buffer).heads) bytes += sizeof(ContentMap::Cell);
      }
    }
  }
  bytes += program.buffers.size() * (sizeof(ContentMap) + sizeof(ContentMap::Cell));
  return static_cast<std::int64_t>(bytes);
}

std::int64_t verification_bytes() { return static_cast<std::int64_t>(verification::Relay::kMostBytes); }

}  // namespace cpbench
