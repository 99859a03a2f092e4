// Cases small enough to execute by brute force.
#pragma once

#include <random>
#include <string>

#include "schedule/case.hpp"

namespace cpbench {

/// A legal case of 1 to 8 ranks with every axis drawn at random.
Case random_small_case(std::mt19937_64& random);
/// All axes that a schedule depends on, for messages.
std::string describe(const Case& c);

}  // namespace cpbench
