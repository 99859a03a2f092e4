#include "validate/check_mode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "problem/counts.hpp"
#include "support/error.hpp"
#include "support/number.hpp"

namespace cpbench {
namespace {

/// Of one core, for two seconds of a full check and one of a sample. The low-precision computation costs half as much
/// as the reference.
constexpr double kFullFlops = 3e10, kSampleFlops = 1.5e10, kBothDevices = 1.5;
constexpr std::int64_t kFewestRows = 8, kMostRows = 128;

/// FLOPs per attended pair and query head for a query row's results, and for a key row's.
double row_flops(const Problem& problem, Pass pass) {
  const int d = problem.head_dim, dv = problem.head_dim_v;
  return kBothDevices * 2 * (pass == Pass::kForward ? d + dv : (d + dv) + (2 * d + dv));
}

double key_flops(const Problem& problem, Pass pass) {
  return pass == Pass::kForward ? 0 : kBothDevices * 2 * (2 * problem.head_dim + 2 * problem.head_dim_v);
}

std::int64_t default_rows(const Problem& problem, Pass pass, double pairs, int workers) {
  const double pairs_per_row = pairs / static_cast<double>(problem.seq_len);
  const double flops = pairs_per_row * (row_flops(problem, pass) + problem.group() * key_flops(problem, pass));
  return static_cast<std::int64_t>(
      std::clamp(workers * kSampleFlops / flops, static_cast<double>(kFewestRows), static_cast<double>(kMostRows)));
}

}  // namespace

CheckMode parse_check(std::string_view text) {
  constexpr std::string_view kSamplePrefix = "sample:";
  if (text == "auto") return {CheckMode::Kind::kAutomatic};
  if (text == "full") return {CheckMode::Kind::kFull};
  if (text == "off") return {CheckMode::Kind::kOff};
  if (text == "sample") return {CheckMode::Kind::kSample};
  if (text.starts_with(kSamplePrefix)) {
    const std::optional<std::int64_t> rows = integer_in(text.substr(kSamplePrefix.size()));
    if (rows && *rows >= 1) return {CheckMode::Kind::kSample, *rows};
  }
  refuse("--check: \"{}\" is none of full, sample, sample:ROWS (from 1 to {}), off and auto", text,
         std::numeric_limits<std::int64_t>::max());
}

std::string to_string(const CheckMode& mode) {
  switch (mode.kind) {
    case CheckMode::Kind::kFull:
      return "full";
    case CheckMode::Kind::kSample:
      return mode.rows == 0 ? "sample" : fmt::format("sample:{}", mode.rows);
    case CheckMode::Kind::kOff:
      return "off";
    case CheckMode::Kind::kAutomatic:
      break;
  }
  return "auto";
}

CheckMode resolve(const CheckMode& mode, const Problem& problem, Pass pass, int workers) {
  if (mode.kind == CheckMode::Kind::kFull || mode.kind == CheckMode::Kind::kOff || mode.rows > 0) return mode;
  const auto pairs = static_cast<double>(attended_pairs(problem.mask, problem.documents));
  const double full_flops = pairs * static_cast<double>(problem.batch) * problem.heads *
                            (row_flops(problem, pass) + key_flops(problem, pass));
  if (mode.kind == CheckMode::Kind::kAutomatic && full_flops <= workers * kFullFlops) return {CheckMode::Kind::kFull};
  return {CheckMode::Kind::kSample, default_rows(problem, pass, pairs, workers)};
}

}  // namespace cpbench
