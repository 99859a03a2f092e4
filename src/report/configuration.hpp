// Points that are the same: what all launches of a configuration say of it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/figure.hpp"
#include "result/record.hpp"
#include "run/timing.hpp"

namespace cpbench {

struct Configuration {
  nlohmann::ordered_json axes;             ///< of its first point
  std::vector<const PointRecord*> points;  ///< one for each launch that has it

  /// The launches that have figures of it; none where one found it wrong, as a wrong point has no speed.
  std::vector<const PointRecord*> with_figures() const;
  /// Median over them.
  std::optional<double> median(const Figure& figure) const;
  /// Of the full iterations of all of them; only of what has a time.
  TimingSummary times() const;
  bool fits() const;  ///< no launch lacks the memory for it
};

/// In the order of the points, which must outlive them. Points are the same if all their axes are, but for `file` where
/// that is not among `named`.
std::vector<Configuration> configurations_of(std::span<const PointRecord> points,
                                             const std::vector<std::string>& named);

/// What a case has on these axes, null where it lacks one.
nlohmann::ordered_json values_on(const std::vector<std::string>& names, const nlohmann::ordered_json& axes);

/// Those that have the same values on some axes.
struct ConfigurationGroup {
  nlohmann::ordered_json values;
  std::vector<Configuration> members;
};
/// By their values on the axes, in the order of the points, which must outlive them.
std::vector<ConfigurationGroup> groups_of(std::span<const PointRecord> points, const std::vector<std::string>& axes);

}  // namespace cpbench
