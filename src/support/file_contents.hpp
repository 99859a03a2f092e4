// Files that are read whole.
#pragma once

#include <filesystem>
#include <string>

namespace cpbench {

/// All bytes of a file. Throws a usage error that names it where it cannot be read.
std::string contents_of(const std::filesystem::path& file);

}  // namespace cpbench
