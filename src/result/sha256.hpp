// SHA-256 (FIPS 180-4), by which a result names the config file that it came from.
#pragma once

#include <string>
#include <string_view>

namespace cpbench {

/// 64 lower-case hexadecimal digits.
std::string sha256_of(std::string_view bytes);

}  // namespace cpbench
