// Two sets of launches of the same points: which points became slower, and how sure that is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compare/interval.hpp"
#include "compare/launch.hpp"
#include "support/error.hpp"

namespace cpbench {

enum class Outcome : std::uint8_t { kSame, kFaster, kSlower, kUnclear, kMissing, kNew };
inline constexpr std::array kOutcomes = {Outcome::kSame,    Outcome::kFaster,  Outcome::kSlower,
                                         Outcome::kUnclear, Outcome::kMissing, Outcome::kNew};
std::string_view name_of(Outcome outcome);  ///< `same`, `faster`, `slower`, `unclear`, `missing`, `new`

struct CompareOptions {
  double threshold = 0.05;           ///< slower by more is a regression
  double confidence = 0.95;          ///< of the intervals
  std::vector<std::string> ignored;  ///< axes by which points are not told apart
  bool paired = false;               ///< launches were made in turn: the n-th of base with the n-th of head
};

/// What a side has of a point.
struct PointSide {
  double median_s = 0;    ///< of full iterations
  int launches = 0;       ///< in which it was measured
  std::size_t times = 0;  ///< that stand for the side: medians of launches, or iterations where launches are few
};

struct PointComparison {
  nlohmann::ordered_json axes;  ///< but the ignored ones
  Outcome outcome = Outcome::kSame;
  std::string reason;  ///< why it is missing or new
  std::optional<PointSide> base, head;
  // Of head against base, where both have the point. The first decides; the others say where it comes from.
  std::optional<Change> full, compute_only;
  std::optional<Change> comm_only;  ///< empty without communication
};

struct Comparison {
  CompareOptions options;
  std::vector<PointComparison> points;  ///< in the order of base, then those that only head has

  int count(Outcome outcome) const;
  /// Points missing before regressions, before what is unclear, which only `strict` minds.
  ExitCode exit_code(bool strict) const;
};

/// Points are the same if their cases are, but for ignored axes. A time of a side is the median of a launch, for
/// launches differ by more than the iterations within one; where a side has fewer than kFewestTimes launches, all their
/// iterations are its times. Of paired launches it is the ratios of their medians whose median and interval are taken,
/// so that whatever slows both of a pair makes no difference. A point is
/// - slower, if the whole interval of its change lies above the threshold,
/// - unclear, if the interval reaches above it, or if there is none,
/// - faster, if the whole interval lies below minus the threshold, and the same otherwise;
/// - missing, if base has measured it and a launch of head has not.
/// Throws a usage error for an ignored axis that no point has, where a launch has points that only differ by ignored
/// axes, and for pairs of unequal numbers of launches; and Error(kBaselineMissing) where base and head have no point in
/// common.
Comparison compare(std::span<const Launch> base, std::span<const Launch> head, const CompareOptions& options);

}  // namespace cpbench
