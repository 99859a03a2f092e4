// Timings of a point and their statistics.
#pragma once

#include <vector>

namespace cpbench {

/// Of one value at least; between the two in the middle where their number is even.
double median_of(std::vector<double> values);

/// Seconds per iteration, each the maximum over ranks, and their statistics. Quartiles interpolate linearly.
struct TimingSummary {
  double median_s = 0, q1_s = 0, q3_s = 0, min_s = 0;
  std::vector<double> samples_s;
};
TimingSummary summarize(std::vector<double> samples_s);

/// The three measurements of a point, interleaved iteration by iteration.
struct Timing {
  TimingSummary full;          ///< compute and communication
  TimingSummary compute_only;  ///< the same programs without their exchanges: the bound that overlap can reach
  TimingSummary comm_only;     ///< the same programs without their compute
};

}  // namespace cpbench
