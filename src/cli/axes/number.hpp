// Numbers of the command line, strictly: the whole text or nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace cpbench {

/// A decimal whole number within [smallest, largest]. Throws a usage error that begins with `where` (a flag, say) and
/// quotes `text` if it is empty, anything else (`1e3`, `12abc`, `+5`), or out of range, 64 bits included.
std::int64_t parse_integer(std::string_view where, std::string_view text, std::int64_t smallest, std::int64_t largest);

/// A positive finite number, in decimal or scientific notation; the same errors.
double parse_positive(std::string_view where, std::string_view text);

}  // namespace cpbench
