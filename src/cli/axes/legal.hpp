// Which degrees are legal, and which legal one is nearest to what was asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

/// Ascending.
std::vector<std::int64_t> divisors_of(std::int64_t n);

/// The legal numbers right below and above `asked`, to be shown: `2 or 4`, `4`; `none` if nothing is legal. `legal` is
/// ascending.
std::string nearest_legal(std::int64_t asked, const std::vector<std::int64_t>& legal);

/// Multiples of `unit` right below and above `asked`: `4 or 8`.
std::string nearest_multiples(std::int64_t asked, std::int64_t unit);

}  // namespace cpbench
