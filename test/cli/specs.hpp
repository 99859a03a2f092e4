// Points and sweeps for tests, written as flags.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/config/sweep.hpp"

namespace cpbench {

using Flags = std::vector<std::pair<std::string_view, std::string_view>>;

/// spec_of({{"algo", "ring"}, {"cp_size", "4"}})
inline PointSpec spec_of(const Flags& flags) {
  PointSpec spec;
  for (const auto& [name, text] : flags) {
    const AxisInfo& axis = *find_axis(name);
    spec.set(axis.axis, value_from_text(axis, text, axis.flag()));
  }
  return spec;
}

/// values_of({{"cp_size", "1,2,4"}})
inline AxisValues values_of(const Flags& flags) {
  AxisValues values;
  for (const auto& [name, text] : flags) {
    const AxisInfo& axis = *find_axis(name);
    for (auto& value : values_from_text(axis, text, axis.flag())) values[axis.axis].push_back(value);
  }
  return values;
}

inline ResolvedPoint resolved(const Flags& flags, const ResolveContext& context) {
  return resolve(spec_of(flags), context);
}

}  // namespace cpbench
