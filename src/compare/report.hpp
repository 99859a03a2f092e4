// A comparison for people and for programs.
#pragma once

#include <span>
#include <string>

#include "compare/comparison.hpp"
#include "result/json.hpp"

namespace cpbench {

inline constexpr int kComparisonVersion = 1;

/// What was compared and how far it is alike, one row per point (of records of `doctor`: per figure, in its unit),
/// where the time of slower ones went, how many points ended how, and the verdict.
std::string table_of(const Comparison& comparison, std::span<const Launch> base, std::span<const Launch> head);

/// docs/comparison.schema.json
Json json_of(const Comparison& comparison, std::span<const Launch> base, std::span<const Launch> head, bool strict);

}  // namespace cpbench
