// Numbers as users write them, strictly: the whole text or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cpbench {

/// A decimal whole number; none for anything else (`1e3`, `12abc`, `+5`, nothing), and for what 64 bits do not hold.
std::optional<std::int64_t> integer_in(std::string_view text);
/// A finite number, in decimal or scientific notation; none for anything else.
std::optional<double> number_in(std::string_view text);

/// The same within [smallest, largest]. Throws a usage error that begins with `where` (a flag, say) and quotes `text`.
std::int64_t parse_integer(std::string_view where, std::string_view text, std::int64_t smallest, std::int64_t largest);

/// A positive finite number; the same errors.
double parse_positive(std::string_view where, std::string_view text);

}  // namespace cpbench
