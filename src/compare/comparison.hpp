// Two sets of launches of the same points: which points became slower, and how sure that is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compare/interval.hpp"
#include "result/launch.hpp"
#include "support/error.hpp"

namespace cpbench {

enum class Outcome : std::uint8_t { kSame, kFaster, kSlower, kUnclear, kUnjudged, kMissing, kInvalid, kNew };
inline constexpr std::array kOutcomes = {Outcome::kSame,     Outcome::kFaster,  Outcome::kSlower,  Outcome::kUnclear,
                                         Outcome::kUnjudged, Outcome::kMissing, Outcome::kInvalid, Outcome::kNew};
std::string_view name_of(Outcome outcome);  ///< `same`, `faster`, `slower`, `unclear`, `unjudged`, `missing`, ...

struct CompareOptions {
  double threshold = 0.05;           ///< slower by more is a regression
  double confidence = 0.95;          ///< of the intervals
  std::vector<std::string> ignored;  ///< axes by which points are not told apart
  bool paired = false;               ///< launches were made in turn, one of base and one of head
};

/// What a side has of a point.
struct PointSide {
  double median_s = 0;        ///< of the medians of launches, of full iterations
  double compute_only_s = 0;  ///< the same of compute alone; 0 where that took no time
  int launches = 0;           ///< in which it was measured

  double exposed_s() const { return median_s - compute_only_s; }  ///< what communication cost on top of compute
};

struct PointComparison {
  std::string id;               ///< in a launch of head, or else of base
  nlohmann::ordered_json axes;  ///< but the ignored ones
  Outcome outcome = Outcome::kSame;
  std::string reason;      ///< why it is missing, invalid or new
  bool unreached = false;  ///< missing or new, perhaps only because a launch of the side that lacks it did not finish
  std::optional<PointSide> base, head;
  // Of head against base, where both have the point. The first decides; the others say where it comes from.
  std::optional<Change> full, compute_only;
  std::optional<Change> comm_only;  ///< empty without communication
};

struct Comparison {
  LaunchOf of = LaunchOf::kRun;           ///< all launches; points of `doctor` are its figures
  CompareOptions options;                 ///< with the axes that one side does not know among the ignored
  std::vector<std::string> unknown_axes;  ///< those
  std::vector<PointComparison> points;    ///< in the order of base, then those that only head has
  int unmeasured = 0;                     ///< points that neither side has measured, and that are not wrong
  int unmeasured_unreached = 0;           ///< of those: perhaps only because a launch of base did not finish
  bool any_finished = true;               ///< or there may be points that no launch came to name
  int base_launches = 0, head_launches = 0;

  int count(Outcome outcome) const;
  int count_unreached(Outcome outcome) const;  ///< those of them
  /// The gravest of: wrong points, points missing, regressions, and what cannot be told: where no point could be
  /// judged, or if `strict` and some were not, are unclear, or may not have been reached by launches that did not
  /// finish.
  ExitCode exit_code(bool strict) const;
};

/// One launch of each side at least.
/// Points are the same if their cases are, but for ignored axes and those that one side does not know. A time of a side
/// is the median of a launch, for launches differ by more than the iterations within one. Of paired launches, matched
/// in the order in which they were started, it is the ratios of the two that are compared, so that whatever slows both
/// makes no difference. A point is
/// - slower, if the whole interval of its change lies above the threshold,
/// - unclear, if the interval reaches above it, and unjudged, if there are too few launches for one,
/// - faster, if the whole interval lies below minus the threshold, and the same otherwise;
/// - invalid, if a launch of head found its result wrong, whatever base has,
/// - missing, if base has measured it and a launch of head has not; new, if head has and base has not.
/// Throws a usage error where not all launches are of one command, for an ignored axis that no point has, where a
/// launch has points that only differ by ignored axes, and for pairs of unequal numbers of launches or that were not
/// made in turn; and Error(kBaselineMissing) where base and head have no point in common.
Comparison compare(std::span<const Launch> base, std::span<const Launch> head, const CompareOptions& options);

}  // namespace cpbench
