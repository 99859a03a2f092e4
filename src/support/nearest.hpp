// "Did you mean": the known name that is closest to a mistyped one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cpbench {

/// The element of `known` with the smallest edit distance to `word`, or an empty string if none is within `farthest`
/// edits. A name that begins with the word is 2 edits away at most.
std::string nearest(std::string_view word, std::span<const std::string> known, std::size_t farthest);

/// What may have been meant where the word means nothing: within half of its length, or two edits.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace cpbench
