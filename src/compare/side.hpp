// What the launches of one side have measured of each point.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "result/launch.hpp"
#include "result/record.hpp"

namespace cpbench {

using PointAxes = nlohmann::ordered_json;
/// What identifies a point, whatever the order of its axes.
using PointKey = nlohmann::json;

/// One point in the launches of a side.
struct Measurements {
  const PointRecord* named = nullptr;         ///< by whichever launch
  std::vector<const PointRecord*> by_launch;  ///< null where it was not measured
  std::string lacking;     ///< what the first of those says, `failed in head.json: ...`; empty if all have measured it
  std::string invalid;     ///< the same of the first that found it wrong
  bool unreached = false;  ///< by a launch that did not finish

  /// Null where no launch has measured it.
  const PointRecord* first() const {
    const auto found = std::ranges::find_if(by_launch, [](const PointRecord* point) { return point != nullptr; });
    return found == by_launch.end() ? nullptr : *found;
  }
};

/// All points of a side, in the order in which its launches name them.
struct Side {
  std::vector<PointKey> order;
  std::map<PointKey, Measurements> points;
  bool finished = true;  ///< all its launches

  /// Whether a launch might have measured the point, had it finished.
  bool unreached(const PointKey& key) const {
    const auto found = points.find(key);
    return found == points.end() ? !finished : found->second.unreached;
  }
};

/// But for those that are ignored.
PointAxes axes_of(const PointRecord& point, const std::vector<std::string>& ignored);

/// Launches in the order in which they were started.
std::vector<const Launch*> by_start(std::span<const Launch> launches);

/// Throws a usage error where two points of a launch are the same but for ignored axes. `launches` must outlive it.
Side side_of(std::span<const Launch> launches, const std::vector<std::string>& ignored);

}  // namespace cpbench
