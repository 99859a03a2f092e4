// Sweeps: from defaults, lists of values, and single points to resolved cases.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/axes/point.hpp"

namespace cpbench {

/// Values to sweep, by axis; empty where nothing was asked.
class AxisValues {
 public:
  std::vector<AxisValue>& operator[](Axis axis) { return lists_[static_cast<std::size_t>(axis)]; }
  const std::vector<AxisValue>& operator[](Axis axis) const { return lists_[static_cast<std::size_t>(axis)]; }
  bool empty() const;

 private:
  std::array<std::vector<AxisValue>, kAxisCount> lists_;
};

/// What a config file says.
struct Sweep {
  std::string file;                ///< its name, for messages
  std::string text;                ///< its contents, as they were parsed
  PointSpec defaults;              ///< of every point
  AxisValues matrix;               ///< their product
  std::vector<PointSpec> include;  ///< more points, each over the defaults
  std::vector<PointSpec> exclude;  ///< drops the matrix' points that have all of its values
};

/// Multiplies every length that the sweep names, so that one key fits a config to a smaller machine: seq_len, lists of
/// document lengths (by their ends, so that they still sum to seq_len) and the reach of mask windows. Rounded down, to
/// 1 at least; a document that vanishes is refused. Histogram files keep their lengths.
void scale_lengths(Sweep& sweep, double factor);

/// The points of a sweep in a fixed order: the product of the matrix, the first axis of the table slowest, then
/// `include`. `overrides`, from the command line, replace what the sweep says of their axes, in the included points
/// too. A sweep that has only `include` has only those points; one that has nothing is one point.
std::vector<PointSpec> expand(const Sweep& sweep, const AxisValues& overrides);

/// A point of a sweep that was resolved, or is skipped for a reason.
struct SweepPoint {
  /// Every axis. Of a skipped point's grid only what was asked for and is not ignored.
  Json axes;
  std::optional<Case> of;
  std::string skipped_because;
};

/// Resolves every point and collapses those that mean the same into the first of them. An impossible point is skipped,
/// with the message as its reason; if there is only one point, the usage error is thrown.
std::vector<SweepPoint> resolve_all(std::span<const PointSpec> points, const ResolveContext& context);

}  // namespace cpbench
