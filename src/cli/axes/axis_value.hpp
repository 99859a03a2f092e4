// Values of axes: read from flags and from config files, kept as JSON.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cli/axes/axis.hpp"

namespace cpbench {

/// Keeps the order of keys, which config and result files show.
using Json = nlohmann::ordered_json;

/// One value of an axis, checked and in its one spelling, so that equal values compare equal: an integer, a number,
/// `true`/`false` (flags), a string (words; "on" or "off" for switches), or an array of lengths (documents).
using AxisValue = Json;

/// One value from the text of a flag. `where` begins the error message: the flag.
AxisValue value_from_text(const AxisInfo& axis, std::string_view text, std::string_view where);

/// The values of a comma list; a list of document lengths is one value. No element may be empty.
std::vector<AxisValue> values_from_text(const AxisInfo& axis, std::string_view text, std::string_view where);

/// One value from a config file. `where` begins the error message: the file and the JSON pointer. A value of the wrong
/// type is refused with the expected kind.
AxisValue value_from_json(const AxisInfo& axis, const Json& value, std::string_view where);

/// The histogram that a value of `docs` names: a path, or a file of configs/document-lengths with or without its
/// `.json`. Throws a usage error where there is none.
std::filesystem::path find_histogram(std::string_view name);

}  // namespace cpbench
