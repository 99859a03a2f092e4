#include "result/derive.hpp"

#include <algorithm>

namespace cpbench {
namespace {

constexpr const char* kFlopModel =
    "fwd 2*pairs*heads*(head_dim+head_dim_v), bwd 2*pairs*heads*(3*head_dim+2*head_dim_v), pairs exact for the mask";

/// Empty where the denominator says nothing.
std::optional<double> ratio(double numerator, double denominator) {
  if (!(denominator > 0)) return std::nullopt;
  return numerator / denominator;
}

}  // namespace

void Work::add(const RankFigures& rank) {
  flops += rank.flops;
  bytes_sent_per_rank = std::max(bytes_sent_per_rank, rank.bytes_sent());
}

Work work_of(const Case& c) { return {.tokens = c.problem.batch * c.problem.seq_len, .ranks = c.cp_size()}; }

Work work_of(const Schedule& schedule) {
  Work work = work_of(schedule.of);
  for (int rank = 0; rank < schedule.of.cp_size(); ++rank) work.add(figures_of(schedule, rank, 0));
  return work;
}

Throughput throughput_of(const Timing& timing, const Work& work) {
  const double seconds = timing.full.median_s;
  Throughput figures;
  figures.flop_model = kFlopModel;
  figures.flops = work.flops;
  figures.tflops_per_rank = ratio(static_cast<double>(work.flops) / work.ranks / 1e12, seconds);
  figures.iterations_per_s = ratio(1, seconds);
  figures.tokens_per_s = ratio(static_cast<double>(work.tokens), seconds);
  figures.fraction_of_compute_only = ratio(timing.compute_only.median_s, seconds);
  figures.peak_tflops = work.peak_tflops;
  if (figures.tflops_per_rank && work.peak_tflops) {
    figures.fraction_of_peak = ratio(*figures.tflops_per_rank, *work.peak_tflops);
  }
  return figures;
}

CommFigures comm_figures_of(const Timing& timing, const Work& work) {
  const double full = timing.full.median_s, compute = timing.compute_only.median_s, comm = timing.comm_only.median_s;
  CommFigures figures;
  figures.bytes_sent_per_rank = work.bytes_sent_per_rank;
  figures.exposed_s = full - compute;
  // Without a message, comm-only is the cost of doing nothing, and ratios to it are noise.
  if (work.bytes_sent_per_rank > 0) {
    figures.bus_bandwidth = ratio(static_cast<double>(work.bytes_sent_per_rank) / 1e9, comm);
    figures.overlap_efficiency = ratio(compute + comm - full, std::min(compute, comm));
  }
  return figures;
}

std::vector<Step> steps_of(const Program& program, std::span<const Span> spans) {
  std::vector<Step> steps;
  if (spans.empty()) return steps;
  const std::int64_t origin = std::ranges::min(spans, {}, &Span::begin_ns).begin_ns;
  steps.reserve(spans.size());
  for (const Span& span : spans) {
    const Op& op = program.ops[static_cast<std::size_t>(span.op)];
    steps.push_back({.label = to_string(op.label),
                     .kind = std::string(kind_name(op.action)),
                     .stream = std::string(name_of(op.stream)),
                     .pass = std::string(name_of(op.pass())),
                     .begin_s = static_cast<double>(span.begin_ns - origin) * 1e-9,
                     .end_s = static_cast<double>(span.end_ns - origin) * 1e-9});
  }
  return steps;
}

}  // namespace cpbench
