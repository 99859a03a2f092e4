// Cases small enough to execute by brute force, or to reckon by hand.
#pragma once

#include <random>
#include <string>
#include <string_view>

#include "schedule/case.hpp"

namespace cpbench {

/// A legal case of 1 to 8 ranks with every axis drawn at random.
Case random_small_case(std::mt19937_64& random);
/// The same on every rank: 64 tokens in contiguous shards under a full mask.
Case even_case(std::string_view algorithm, const Grid& grid, int heads);
/// All axes that a schedule depends on, for messages.
std::string describe(const Case& c);

}  // namespace cpbench
