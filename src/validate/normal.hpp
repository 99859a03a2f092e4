// Standard normal numbers from counters: the value at a position depends on nothing but the position and the seed.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace cpbench {

/// Fills `values`, a multiple of 4, with independent standard normals: Philox4x32-10 (Salmon et al., SC'11) at counters
/// `counter`, `counter` + 1 in the last word, ..., four values each, turned into normals by Box and Muller's method.
/// The same bits on every machine: nothing but correctly rounded operations, and no contraction into fused ones.
/// |value| < 5.8, because the uniform numbers have 24 bits.
void standard_normals(std::uint64_t seed, const std::array<std::uint32_t, 4>& counter, std::span<float> values);

/// Philox4x32-10 itself, for random choices that are not normal.
std::array<std::uint32_t, 4> random_bits(std::uint64_t seed, const std::array<std::uint32_t, 4>& counter);

}  // namespace cpbench
