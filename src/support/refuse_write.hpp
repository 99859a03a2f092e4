// Files that cannot be written: one wording for all of them.
#pragma once

#include <filesystem>

namespace cpbench {

/// errno of a stream's last call, or EIO where it did not keep that: what refuse_write wants to know.
int write_error();

/// Throws a usage error that names the file, why it cannot be written (`error` is what errno was) and what to do.
[[noreturn]] void refuse_write(const std::filesystem::path& path, int error);

}  // namespace cpbench
