// From what was measured to the figures that are reported: every formula of docs/results-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "result/record.hpp"
#include "run/span.hpp"
#include "run/timing.hpp"
#include "schedule/figures.hpp"
#include "schedule/program.hpp"
#include "schedule/schedule.hpp"

namespace cpbench {

/// What a point did, besides its times.
struct Work {
  int128 flops = 0;                      ///< of one iteration, all ranks
  std::int64_t tokens = 0;               ///< batch * seq_len
  int ranks = 1;                         ///< cp_size
  std::int64_t bytes_sent_per_rank = 0;  ///< in one iteration, maximum over ranks, see figures_of
  std::optional<double> peak_tflops;     ///< of one rank

  void add(const RankFigures& rank);
};

Work work_of(const Case& c);             ///< of which no rank has been added yet
Work work_of(const Schedule& schedule);  ///< of all ranks, without a peak
Throughput throughput_of(const Timing& timing, const Work& work);
CommFigures comm_figures_of(const Timing& timing, const Work& work);

/// The operations of one iteration, from its spans, in seconds from the first.
std::vector<Step> steps_of(const Program& program, std::span<const Span> spans);

}  // namespace cpbench
