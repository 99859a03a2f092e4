#include "validate/normal.hpp"

#include <Random123/philox.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "validate/multiversion.hpp"

namespace cpbench {
namespace {

r123::Philox4x32::key_type key_of(std::uint64_t seed) {
  return {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
}

// The functions below use no branch, table or library call, so that the loop over counters vectorises.

/// ln u for normal u > 0: u = m * 2^e with m in [sqrt(1/2), sqrt(2)), and ln m = 2 artanh((m - 1) / (m + 1)).
inline float natural_log(float u) {
  constexpr std::uint32_t kSqrtHalfBits = 0x3f3504f3;
  const std::uint32_t above = std::bit_cast<std::uint32_t>(u) - kSqrtHalfBits;
  const auto exponent = static_cast<float>(static_cast<std::int32_t>(above) >> 23);
  const float mantissa = std::bit_cast<float>((above & 0x7fffff) + kSqrtHalfBits);
  const float s = (mantissa - 1) / (mantissa + 1), s2 = s * s;
  const float series = 1 + s2 * (1.0f / 3 + s2 * (1.0f / 5 + s2 * (1.0f / 7 + s2 * (1.0f / 9))));
  return exponent * std::numbers::ln2_v<float> + 2 * s * series;
}

struct Pair {
  float cosine, sine;
};

/// Cosine and sine of an angle whose quarter turn is the two upper bits and whose place in it, from -pi/4 to pi/4, the
/// others. Taylor series, exact to fp32 there.
inline Pair point_on_circle(std::uint32_t bits) {
  const auto fraction = static_cast<float>(static_cast<std::int32_t>(bits << 2)) * 0x1p-32f;
  const float angle = fraction * (std::numbers::pi_v<float> / 2), a2 = angle * angle;
  const float sine = angle * (1 + a2 * (-1.0f / 6 + a2 * (1.0f / 120 + a2 * (-1.0f / 5040 + a2 * (1.0f / 362880)))));
  const float cosine = 1 + a2 * (-1.0f / 2 + a2 * (1.0f / 24 + a2 * (-1.0f / 720 + a2 * (1.0f / 40320))));
  const bool odd = ((bits >> 30) & 1) != 0;
  const float sign = 1 - static_cast<float>(static_cast<std::int32_t>((bits >> 30) & 2));
  return {sign * (odd ? -sine : cosine), sign * (odd ? cosine : sine)};
}

inline Pair normal_pair(std::uint32_t radius_bits, std::uint32_t angle_bits) {
  const float uniform = static_cast<float>(static_cast<std::int32_t>(radius_bits >> 8) + 1) * 0x1p-24f;
  const float radius = std::sqrt(-2 * natural_log(uniform));
  const Pair point = point_on_circle(angle_bits);
  return {radius * point.cosine, radius * point.sine};
}

}  // namespace

CPBENCH_MULTIVERSION void standard_normals(std::uint64_t seed, const std::array<std::uint32_t, 4>& counter,
                                           std::span<float> values) {
  const auto key = key_of(seed);
  const std::uint32_t word0 = counter[0], word1 = counter[1], word2 = counter[2], word3 = counter[3];
  const std::size_t blocks = values.size() / 4;
  float* out = values.data();
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto random = r123::Philox4x32{}({{word0, word1, word2, word3 + static_cast<std::uint32_t>(i)}}, key);
    const Pair first = normal_pair(random.v[0], random.v[1]), second = normal_pair(random.v[2], random.v[3]);
    out[4 * i] = first.cosine;
    out[4 * i + 1] = first.sine;
    out[4 * i + 2] = second.cosine;
    out[4 * i + 3] = second.sine;
  }
}

std::array<std::uint32_t, 4> random_bits(std::uint64_t seed, const std::array<std::uint32_t, 4>& counter) {
  const auto random = r123::Philox4x32{}({{counter[0], counter[1], counter[2], counter[3]}}, key_of(seed));
  return {random.v[0], random.v[1], random.v[2], random.v[3]};
}

}  // namespace cpbench
