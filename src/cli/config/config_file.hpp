// Config files: JSON, // and /* */ comments allowed; docs/configuration.md describes them.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "cli/config/sweep.hpp"

namespace cpbench {

/// Reads {schema_version: 1, length_scale: 1, defaults: {axis: value}, matrix: {axis: [values]}, include: [{axis:
/// value}], exclude: [{axis: value}]}; all keys but the first may be left out. Lengths come out scaled, by
/// `length_scale` if it is given, else by the file's own key.
/// A `file` that does not exist is looked for among the shipped configs.
/// Throws a usage error with the file's name, the JSON pointer and the offending value: unknown keys (with the nearest
/// known one), keys given twice, wrong types, values out of range, and an `exclude` whose keys no point has.
Sweep read_config(const std::filesystem::path& file, std::optional<double> length_scale = std::nullopt);

/// The same for text that is already read; `name` stands for the file in messages.
Sweep parse_config(std::string_view text, std::string_view name, std::optional<double> length_scale = std::nullopt);

}  // namespace cpbench
