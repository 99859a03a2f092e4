// Cases whose times can be computed by hand, and machines that make them round.
#pragma once

#include <string_view>

#include "estimate/estimate.hpp"
#include "schedule/figures.hpp"
#include "schedule/small_cases.hpp"

namespace cpbench {

/// Forward, full mask: every two ranks' blocks are the same work.
inline Case case_of(std::string_view algorithm, const Grid& grid) {
  Case c = even_case(algorithm, grid, 8);
  c.pass = Pass::kForward;
  return c;
}

/// Of K and V of one rank.
inline double block_bytes(const Case& c) {
  const Problem& p = c.problem;
  const std::int64_t rows = p.seq_len / c.cp_size();
  return static_cast<double>(rows * p.kv_heads * (p.head_dim + p.head_dim_v) * bytes_of(p.dtype));
}

/// Attends all that one rank attends in `seconds`.
inline double rate_for(const Schedule& schedule, double seconds) {
  return static_cast<double>(figures_of(schedule, 0, 0).flops) / seconds;
}

inline LinkModel::Speed speed_for(double bytes, double seconds, double latency_s = 0) {
  return {bytes / seconds, latency_s};
}

}  // namespace cpbench
