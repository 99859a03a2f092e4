#include "cli/commands/plan_text.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "result/columns.hpp"
#include "schedule/describe.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

/// Ranks that are listed one by one; of more, only the extremes are.
constexpr int kListedRanks = 16;
/// Lines of a program that are shown without --all-steps.
constexpr std::size_t kShownSteps = 40;

/// Without --ranks-per-node nothing is known of nodes, which decides defaults and what goes between them.
std::string nodes_text(int ranks, int ranks_per_node) {
  if (ranks_per_node == 0)
    return fmt::format("  nodes: one, with {} (--ranks-per-node N: N on each)\n", counted(ranks, "rank"));
  return fmt::format("  nodes: {}, with up to {}\n", (ranks - 1) / ranks_per_node + 1,
                     counted(std::min(ranks, ranks_per_node), "rank"));
}

std::string text_of_bytes(std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

std::string figures_row(std::size_t rank, const PlannedRank& r) {
  const RankFigures& f = r.figures;
  const auto link = [&](Link l) { return text_of_bytes(f.bytes_by_link[static_cast<std::size_t>(l)]); };
  return fmt::format("  {:<6}{:>10}{:>12.4g}{:>12}{:>12}{:>12}{:>14}{:>14}{:>10}{:>13}\n", rank, r.tokens,
                     static_cast<double>(f.flops), link(Link::kInner), link(Link::kOuter), link(Link::kAllToAll),
                     text_of_bytes(f.bytes_within_node), text_of_bytes(f.bytes_between_nodes), f.messages,
                     text_of_bytes(r.memory_bytes));
}

std::string figures_header() {
  return fmt::format("  {:<6}{:>10}{:>12}{:>12}{:>12}{:>12}{:>14}{:>14}{:>10}{:>13}\n", "rank", "tokens", "FLOPs",
                     "inner", "outer", "all-to-all", "within node", "between", "messages", "memory");
}

std::string estimate_row(std::string_view name, const TimeEstimate& e) {
  return fmt::format("  {:<8}{:>12}{:>16}{:>13}{:>13}\n", name, milliseconds(e.full_s), milliseconds(e.compute_only_s),
                     milliseconds(e.comm_only_s), milliseconds(e.exposed_s()));
}

/// All ranks, or of many the first one and those with the least and the most by `key`.
template <typename Key>
std::set<std::size_t> listed_ranks(const PlanRecord& point, Key key) {
  std::set<std::size_t> ranks;
  if (point.ranks.size() <= kListedRanks) {
    for (std::size_t rank = 0; rank < point.ranks.size(); ++rank) ranks.insert(rank);
    return ranks;
  }
  const auto [least, most] = std::ranges::minmax_element(point.ranks, {}, key);
  return {0, static_cast<std::size_t>(least - point.ranks.begin()),
          static_cast<std::size_t>(most - point.ranks.begin())};
}

/// What the rank sends over links of this kind, as the model counts kinds.
std::int64_t bytes_over(Link link, const RankFigures& figures, const LinkModel& links) {
  if (links.ranks_per_node == 0) return figures.bytes_by_link[static_cast<std::size_t>(link)];
  if (link == Link::kAllToAll) return 0;
  return link == Link::kInner ? figures.bytes_within_node : figures.bytes_between_nodes;
}

bool uses(Link link, const PlanRecord& point, const LinkModel& links) {
  return std::ranges::any_of(point.ranks,
                             [&](const PlannedRank& rank) { return bytes_over(link, rank.figures, links) > 0; });
}

/// Why no message takes it, and what to do.
std::string reason_of_unused(Link link, std::size_t ranks, int ranks_per_node) {
  if (link == Link::kOuter && ranks_per_node == 0) {
    return fmt::format("but all {} ranks are one node: give --ranks-per-node", ranks);
  }
  if (link == Link::kOuter) return fmt::format("but all {} ranks are one node of {}", ranks, ranks_per_node);
  if (link == Link::kAllToAll && ranks_per_node > 0) {
    return "but with --ranks-per-node every message takes inner or outer";
  }
  return "which no message here takes";
}

}  // namespace

std::string describe_case(const Case& c, int ranks_per_node) {
  const Problem& p = c.problem;
  return fmt::format(
             "{} on {} (ulysses {} x outer {} x inner {}, {}), {} shards, {}\n"
             "  batch {} x {} tokens, heads {}:{}, head_dim {}:{}, {}, mask {}, {}{}, pass {}\n",
             c.algorithm->name, counted(c.cp_size(), "rank"), c.grid.ulysses, c.grid.outer, c.grid.inner,
             name_of(c.grid.order), name_of(c.shard), c.prune ? "--prune on" : "--prune off", p.batch, p.seq_len,
             p.heads, p.kv_heads, p.head_dim, p.head_dim_v, name_of(p.dtype), to_string(p.mask),
             counted(p.documents.count(), "document"), p.sink ? ", sinks" : "", name_of(c.pass)) +
         nodes_text(c.cp_size(), ranks_per_node);
}

std::string totals_text(const PlanRecord& point) {
  double sent = 0;
  for (const PlannedRank& rank : point.ranks) sent += static_cast<double>(rank.figures.bytes_sent());
  return fmt::format("peak memory {} per rank, {} sent by all ranks", text_of_bytes(peak_memory_of(point)),
                     bytes_text(sent));
}

std::string figures_text(const PlanRecord& point, std::optional<std::int64_t> available_bytes) {
  std::string text = figures_header();
  for (const std::size_t rank : listed_ranks(point, [](const PlannedRank& r) { return r.figures.flops; })) {
    text += figures_row(rank, point.ranks[rank]);
  }
  if (point.ranks.size() > kListedRanks) {
    text +=
        fmt::format("  (of {} ranks: the first, one with the least work, and one with the most)\n", point.ranks.size());
  }
  text += fmt::format("  load balance {:.3f} (mean / largest FLOPs), {}\n", load_balance_of(point), totals_text(point));
  if (!available_bytes) return text;
  return text + fmt::format("  {} the {} of a rank\n",
                            peak_memory_of(point) > *available_bytes ? "DOES NOT FIT into" : "fits into",
                            text_of_bytes(*available_bytes));
}

std::string estimate_text(const PlanRecord& point) {
  std::string text = fmt::format("  {:<8}{:>12}{:>16}{:>13}{:>13}\n", "estimate", "time ms", "compute only ms",
                                 "comm only ms", "exposed ms");
  for (const std::size_t rank : listed_ranks(point, [](const PlannedRank& r) { return r.estimate->full_s; })) {
    text += estimate_row(std::to_string(rank), *point.ranks[rank].estimate);
  }
  if (point.ranks.size() > kListedRanks) {
    text += fmt::format("  (of {} ranks: the first, one that is done first, and one that is done last)\n",
                        point.ranks.size());
  }
  const Throughput throughput = throughput_of(timing_of(*point.estimate), point.work);
  text += estimate_row("slowest", *point.estimate);
  return text + fmt::format("  estimated {:.4g} TFLOP/s per rank, {}% of compute only\n",
                            throughput.tflops_per_rank.value_or(0), percent(throughput.fraction_of_compute_only));
}

std::vector<std::string> notes_on_links(std::span<const PlanRecord> points, const EstimateOptions& given) {
  std::vector<const PlanRecord*> estimated;
  std::size_t ranks = 0;
  for (const PlanRecord& point : points) {
    if (!point.estimate) continue;
    estimated.push_back(&point);
    ranks = std::max(ranks, point.ranks.size());
  }
  if (ranks < 2) return {};                                             // nobody has anybody to send to
  const bool names_kinds = given.links.find('=') != std::string::npos;  // or it is one speed for all
  const LinkModel& links = estimated.front()->machine->links;
  std::vector<std::string> notes;
  for (const Link link : kAllLinks) {
    const auto takes = [&](const PlanRecord* point) { return uses(link, *point, links); };
    const bool is_taken = std::ranges::any_of(estimated, takes), is_named = links.of(link).has_value();
    if (is_taken && !is_named) {
      notes.push_back(
          fmt::format("note: messages over {} take no time, as --links says nothing of them", name_of(link)));
    } else if (!is_taken && is_named && names_kinds) {
      notes.push_back(fmt::format("note: --links names {}, {}", name_of(link),
                                  reason_of_unused(link, ranks, links.ranks_per_node)));
    }
  }
  return notes;
}

std::string steps_text(const Schedule& schedule, int rank, bool all) {
  const Program& program = schedule.programs[static_cast<std::size_t>(rank)];
  const std::size_t count = program.ops.size();
  std::string text =
      fmt::format("  program of rank {}: {} operations, {} buffers\n", rank, count, program.buffers.size());
  for (std::size_t id = 0; id < count; ++id) {
    const bool hidden = !all && count > kShownSteps && id >= kShownSteps / 2 && id + kShownSteps / 2 < count;
    if (!hidden) text += describe(program, static_cast<OpId>(id), rank, schedule.of.problem.batch) + "\n";
    if (hidden && id == kShownSteps / 2) text += fmt::format("     ... {} more (--all-steps)\n", count - kShownSteps);
  }
  return text;
}

}  // namespace cpbench
