// Words that are pairs of bf16, with AVX-512 and its extension for them. Included once per instruction set that has
// both.
#if defined(CPBENCH_BF16_PAIRS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_BF16_PAIRS_INL_HPP
#undef CPBENCH_BF16_PAIRS_INL_HPP
#else
#define CPBENCH_BF16_PAIRS_INL_HPP
#endif

#include <cstdint>

#include "backend/cpu/microkernels-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

/// Words are pairs of bf16, the lower half first.
struct Bf16Pairs {
  static constexpr bool kPairs = true;
  static HWY_INLINE V MultiplyAdd(V a, V b, V c) {
    return V{_mm512_dpbf16_ps(c.raw, (__m512bh)a.raw, (__m512bh)b.raw)};
  }

  /// A word holds two neighbours of a row.
  template <int kVector>
  static HWY_INLINE void StoreVector(V vector, float* row) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + kVector * kLanes / 2),
                        (__m256i)_mm512_cvtneps_pbh(vector.raw));
  }
  template <int kVectors>
  static HWY_INLINE void StoreRow(const V (&row)[kVectors], float* to) {
    Unrolled<kVectors / 2>([&](auto pair) CPBENCH_INLINED {
      constexpr int kFirst = 2 * pair;
      _mm512_storeu_si512(to + kFirst * kLanes / 2, (__m512i)_mm512_cvtne2ps_pbh(row[kFirst + 1].raw, row[kFirst].raw));
    });
    if constexpr (kVectors % 2 == 1) StoreVector<kVectors - 1>(row[kVectors - 1], to);
  }

  /// A word holds one column of two rows.
  static HWY_INLINE void StoreColumns(V even, V odd, float* to) {
    alignas(64) static constexpr std::uint16_t kInterleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                  21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                  11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(odd.raw, even.raw);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(_mm512_load_si512(kInterleave), both));
  }
  /// Row r of dS by itself, and if it is the second of two, columns of P [kTileRows][kPanel] and dS.
  template <int kVectors, class Row>
  static HWY_INLINE void StoreRowOfGradients(const V (&ds)[kTileRows][kVectors], const float* p, Row r,
                                             const GradientTile& t) {
    StoreRow(ds[r], t.ds_keys + r * kBlockStride);
    if constexpr (r % 2 == 1) {
      const D d;
      Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
        constexpr int kWord = r / 2 * kBlockStride + v * kLanes;
        const float* odd = p + r * kPanel + v * kLanes;
        StoreColumns(ds[r - 1][v], ds[r][v], t.ds + kWord);
        StoreColumns(hn::Load(d, odd - kPanel), hn::Load(d, odd), t.p + kWord);
      });
    }
  }

  /// Elements [begin, end) of a row of P times a power of two: nothing is rounded.
  static HWY_INLINE void ScaleRow(float* row, int begin, int end, float factor) {
    auto* words = reinterpret_cast<std::uint16_t*>(row);
    for (int i = begin; i < end; i += kLanes) {
      const __m256i narrow = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words + i));
      const __m512 wide = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
      const __m512 scaled = _mm512_mul_ps(wide, _mm512_set1_ps(factor));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + i), (__m256i)_mm512_cvtneps_pbh(scaled));
    }
  }
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
