// How thoroughly results are checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "problem/problem.hpp"

namespace cpbench {

/// automatic: full up to a size that takes seconds, else sample. `rows` of sample: query rows, and as many key rows,
/// over all ranks; 0 chooses a number that takes about a second.
struct CheckMode {
  enum class Kind : std::uint8_t { kAutomatic, kFull, kSample, kOff };
  Kind kind = Kind::kAutomatic;
  std::int64_t rows = 0;
  bool operator==(const CheckMode&) const = default;
};

/// Parses `auto`, `full`, `sample`, `sample:ROWS` or `off`; throws a usage error naming the text otherwise.
CheckMode parse_check(std::string_view text);
std::string to_string(const CheckMode& mode);

/// Full, sample with rows, or off: what the choice comes to for a problem. `workers`: cores that check, of all ranks
/// together.
CheckMode resolve(const CheckMode& mode, const Problem& problem, Pass pass, int workers);

}  // namespace cpbench
