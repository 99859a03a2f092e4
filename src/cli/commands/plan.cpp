// `cpbench plan`: programs, their proof, memory, bytes and FLOPs; runs nothing.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <set>

#include "backend/platform.hpp"
#include "cli/commands/memory_plans.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/sweep_of.hpp"
#include "cli/config/cli11.hpp"
#include "run/placement.hpp"
#include "schedule/describe.hpp"
#include "schedule/figures.hpp"
#include "schedule/verify.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// Ranks that are listed one by one; of more, only the extremes are.
constexpr int kListedRanks = 16;
/// Lines of a program that are shown without --all-steps.
constexpr std::size_t kShownSteps = 40;

struct PlanOptions {
  SweepOptions sweep;
  std::string backend = "cpu";
  int rank = 0;
  bool all_steps = false;
};

std::string describe_case(const Case& c) {
  const Problem& p = c.problem;
  return fmt::format(
      "{} on {} (ulysses {} x outer {} x inner {}, {}), {} shards, {}\n"
      "  batch {} x {} tokens, heads {}:{}, head_dim {}:{}, {}, mask {}, {}{}, pass {}\n",
      c.algorithm->name, counted(c.cp_size(), "rank"), c.grid.ulysses, c.grid.outer, c.grid.inner,
      name_of(c.grid.order), name_of(c.shard), c.prune ? "--prune on" : "--prune off", p.batch, p.seq_len, p.heads,
      p.kv_heads, p.head_dim, p.head_dim_v, name_of(p.dtype), to_string(p.mask),
      counted(p.documents.count(), "document"), p.sink ? ", sinks" : "", name_of(c.pass));
}

/// Without --ranks-per-node nothing is known of nodes, which decides defaults and what goes between them.
std::string nodes_text(int ranks, int ranks_per_node) {
  if (ranks_per_node == 0)
    return fmt::format("  nodes: one, with {} (--ranks-per-node N: N on each)\n", counted(ranks, "rank"));
  return fmt::format("  nodes: {}, with up to {}\n", (ranks + ranks_per_node - 1) / ranks_per_node,
                     counted(std::min(ranks, ranks_per_node), "rank"));
}

std::string figures_row(const std::string& name, std::int64_t tokens, const RankFigures& f, std::int64_t memory) {
  const auto link = [&](Link l) {
    return bytes_text(static_cast<double>(f.bytes_by_link[static_cast<std::size_t>(l)]));
  };
  return fmt::format("  {:<6}{:>10}{:>12.4g}{:>12}{:>12}{:>12}{:>14}{:>14}{:>10}{:>13}\n", name, tokens,
                     static_cast<double>(f.flops), link(Link::kInner), link(Link::kOuter), link(Link::kAllToAll),
                     bytes_text(static_cast<double>(f.bytes_within_node)),
                     bytes_text(static_cast<double>(f.bytes_between_nodes)), f.messages,
                     bytes_text(static_cast<double>(memory)));
}

std::string figures_header() {
  return fmt::format("  {:<6}{:>10}{:>12}{:>12}{:>12}{:>12}{:>14}{:>14}{:>10}{:>13}\n", "rank", "tokens", "FLOPs",
                     "inner", "outer", "all-to-all", "within node", "between", "messages", "memory");
}

std::vector<RankFigures> figures_of_all(const Schedule& schedule, int ranks_per_node) {
  std::vector<RankFigures> figures;
  for (int rank = 0; rank < schedule.of.cp_size(); ++rank)
    figures.push_back(figures_of(schedule, rank, ranks_per_node));
  return figures;
}

/// By rank.
std::vector<std::int64_t> memory_of_all(const Schedule& schedule, const PlanOptions& options) {
  const Platform& platform = find_platform(options.backend == "auto" ? "cpu" : options.backend);
  std::vector<std::int64_t> bytes;
  for (const Program& program : schedule.programs) {
    bytes.push_back(platform.planned_bytes(schedule.of.problem, program, BackendOptions{}));
  }
  return bytes;
}

/// Memory of the rank that needs most, and what all ranks send in one iteration.
std::string totals_text(const std::vector<RankFigures>& figures, const std::vector<std::int64_t>& memory) {
  double sent = 0;
  for (const RankFigures& f : figures) sent += static_cast<double>(f.bytes_sent());
  return fmt::format("peak memory {} per rank, {} sent by all ranks",
                     bytes_text(static_cast<double>(std::ranges::max(memory))), bytes_text(sent));
}

std::string figures_table(const Schedule& schedule, const std::vector<RankFigures>& figures,
                          const std::vector<std::int64_t>& memory) {
  std::string text = figures_header();
  const auto row = [&](std::size_t rank, const std::string& name) {
    text += figures_row(name, count_of(schedule.tokens[rank]), figures[rank], memory[rank]);
  };
  const auto by_flops = [](const RankFigures& a, const RankFigures& b) { return a.flops < b.flops; };
  const auto most =
      static_cast<std::size_t>(std::max_element(figures.begin(), figures.end(), by_flops) - figures.begin());
  const auto least =
      static_cast<std::size_t>(std::min_element(figures.begin(), figures.end(), by_flops) - figures.begin());
  if (figures.size() <= kListedRanks) {
    for (std::size_t rank = 0; rank < figures.size(); ++rank) row(rank, std::to_string(rank));
  } else {
    for (const std::size_t rank : std::set{std::size_t{0}, least, most}) row(rank, std::to_string(rank));
    text += fmt::format("  (of {} ranks: the first, one with the least work, and one with the most)\n", figures.size());
  }
  double total = 0;
  for (const RankFigures& f : figures) total += static_cast<double>(f.flops);
  const double largest = static_cast<double>(figures[most].flops);
  text += fmt::format("  load balance {:.3f} (mean / largest FLOPs), {}\n",
                      largest > 0 ? total / static_cast<double>(figures.size()) / largest : 1.0,
                      totals_text(figures, memory));
  return text;
}

std::string steps_text(const Schedule& schedule, const PlanOptions& options) {
  const Program& program = schedule.programs[static_cast<std::size_t>(options.rank)];
  const std::size_t count = program.ops.size();
  std::string text =
      fmt::format("  program of rank {}: {} operations, {} buffers\n", options.rank, count, program.buffers.size());
  for (std::size_t id = 0; id < count; ++id) {
    const bool hidden =
        !options.all_steps && count > kShownSteps && id >= kShownSteps / 2 && id + kShownSteps / 2 < count;
    if (!hidden) text += describe(program, static_cast<OpId>(id), options.rank, schedule.of.problem.batch) + "\n";
    if (hidden && id == kShownSteps / 2) text += fmt::format("     ... {} more (--all-steps)\n", count - kShownSteps);
  }
  return text;
}

/// The totals of the same case with the other setting of --prune: the same where pruning found nothing to do.
std::string prune_text(const Case& c, bool found_any, const std::string& totals, const PlanOptions& options) {
  Case other = c;
  other.prune = !c.prune;
  std::string otherwise = totals;
  if (!c.prune || found_any) {
    const Schedule schedule = build_schedule(other);
    otherwise = totals_text(figures_of_all(schedule, options.sweep.ranks_per_node), memory_of_all(schedule, options));
  }
  return fmt::format("  with --prune on:  {}\n  with --prune off: {}\n", c.prune ? totals : otherwise,
                     c.prune ? otherwise : totals);
}

ExitCode plan_point(const Case& c, const PlanOptions& options, bool shows_program, bool speaks) {
  if (options.rank >= c.cp_size()) refuse("--rank {} does not exist: cp_size is {}", options.rank, c.cp_size());
  const std::int64_t free = available_memory();
  if (const MemoryPlan needed = plan_of_programs(c, free); needed.bytes > free) {
    throw Error(ExitCode::kPlacement,
                fmt::format("planning {} takes about {} of memory for their programs, and {} are free{}",
                            counted(c.cp_size(), "rank"), bytes_text(static_cast<double>(needed.bytes)),
                            bytes_text(static_cast<double>(free)), text_of_remedies(needed.remedies)));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::string text = describe_case(c) + nodes_text(c.cp_size(), options.sweep.ranks_per_node);
  std::string totals;
  bool pruned = false;
  ExitCode code = ExitCode::kOk;
  {
    const Schedule schedule = build_schedule(c);
    const double built_s = elapsed();
    const Verdict verdict = verify(schedule);
    text += fmt::format("  {} for all ranks (built in {:.2f} s, verified in {:.2f} s)\n",
                        verdict.passed ? "verified" : "NOT VERIFIED", built_s, elapsed() - built_s);
    for (const std::string& fault : verdict.faults) text += "  fault: " + fault + "\n";
    if (!verdict.passed) code = ExitCode::kInvalid;
    const std::vector<RankFigures> figures = figures_of_all(schedule, options.sweep.ranks_per_node);
    const std::vector<std::int64_t> memory = memory_of_all(schedule, options);
    totals = totals_text(figures, memory);
    pruned = schedule.pruned;
    text += figures_table(schedule, figures, memory);
    if (shows_program) text += steps_text(schedule, options);
  }  // the schedule is freed before the other one is built
  text += prune_text(c, pruned, totals, options);
  if (speaks) std::fputs((text + "\n").c_str(), stdout);
  return code;
}

/// What tells the points of a sweep apart.
std::vector<std::string> varying_axes(const std::vector<SweepPoint>& points) {
  std::vector<std::string> names = axis_names();
  std::erase_if(names, [&](const std::string& name) {
    const auto value_of = [&](const SweepPoint& point) { return point.axes.value(name, Json()); };
    return std::ranges::all_of(points, [&](const SweepPoint& p) { return value_of(p) == value_of(points.front()); });
  });
  return names;
}

/// `algo ring, cp_size 8`
std::string values_of(const std::vector<std::string>& names, const SweepPoint& point) {
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    const auto value = point.axes.find(name);
    if (value == point.axes.end()) continue;  // of the grid, where it is impossible
    parts.push_back(fmt::format("{} {}", name, value->is_string() ? value->get<std::string>() : value->dump()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

class PlanCommand : public Subcommand {
 public:
  explicit PlanCommand(CLI::App& parent) {
    app = parent.add_subcommand("plan", "Programs, their proof, memory, bytes and FLOPs per rank; runs nothing");
    add_sweep_options(*app, options_.sweep);
    add_integer(*app, "--rank", options_.rank, 0,
                "rank whose program is shown; of several points none is without it or --all-steps");
    add_text(*app, "--backend", options_.backend, "NAME", "whose memory is planned: cpu or cuda; auto is cpu [cpu]");
    app->add_flag("--all-steps", options_.all_steps, "Show long programs whole");
    flags_ = std::make_unique<AxisFlags>(*app);
    add_run_options_without_effect(*app);
  }

  ExitCode execute(const Job& job) override {
    const ResolveContext context{.world_size = 1,
                                 .cp_size_is_bounded = false,
                                 .ranks_per_node = options_.sweep.ranks_per_node,
                                 .seed = options_.sweep.seed};
    ExitCode code = ExitCode::kOk;
    bool any = false;
    const std::vector<SweepPoint> points = sweep_of(options_.sweep, *flags_, context);
    for (const std::string& note : notes_on_axes_without_effect(flags_->values(), points)) {
      if (job.speaks) fmt::print(stderr, "cpbench: {}\n", note);
    }
    // Between those of a sweep, programs would drive apart the figures that are to be compared.
    const bool show_programs = points.size() == 1 || app->count("--rank") > 0 || options_.all_steps;
    const std::vector<std::string> names = varying_axes(points);
    for (const SweepPoint& point : points) {
      ExitCode of_point = ExitCode::kAllSkipped;
      std::string reason = point.skipped_because;
      try {
        if (point.of) of_point = plan_point(*point.of, options_, show_programs, job.speaks);
      } catch (const Error& error) {  // it does not fit into memory, or has no such rank; others may
        if (points.size() == 1) throw;
        if (error.code() == ExitCode::kPlacement) of_point = ExitCode::kPlacement;
        reason = error.what();
      }
      const bool is_skipped = of_point == ExitCode::kAllSkipped;
      if (!reason.empty() && job.speaks) {
        fmt::print("{} {}: {}\n\n", is_skipped ? "skipped" : "failed", values_of(names, point), reason);
      }
      if (!is_skipped) code = graver(code, of_point);
      any = any || !is_skipped;
    }
    return any ? code : ExitCode::kAllSkipped;
  }

 private:
  PlanOptions options_;
  std::unique_ptr<AxisFlags> flags_;
};

}  // namespace

std::unique_ptr<Subcommand> make_plan_command(CLI::App& app) { return std::make_unique<PlanCommand>(app); }

}  // namespace cpbench
