// "Did you mean": the known name that is closest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cpbench {

/// The element of `known` with the smallest edit distance to `word`, or an empty string if `known` is empty or nothing
/// is reasonably close (distance above half of the word's length, at least 2 edits being always allowed). A name that
/// begins with the word is 2 edits away at most.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace cpbench
