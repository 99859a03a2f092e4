// Where the shipped configs lie: beside the sources or beside the installed program.
#pragma once

#include <filesystem>
#include <string_view>

namespace cpbench {

/// The first existing one of `relative` in $CPBENCH_CONFIG_DIR, in the source tree's configs/, and in
/// ../share/cpbench/configs beside the directory of the executable. Throws a usage error that lists the paths that it
/// tried.
std::filesystem::path find_config(std::string_view relative);

/// `path` as it is, else the shipped config of that name; either may lack its `.json`. Throws a usage error that lists
/// the paths that it tried.
std::filesystem::path find_given_config(const std::filesystem::path& path);

}  // namespace cpbench
