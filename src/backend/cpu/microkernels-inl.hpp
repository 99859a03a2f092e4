// The micro-kernels as templates over what a word is. Included once per instruction set: by microkernels.cpp for all
// that Highway knows, by microkernels_avx512_bf16.cpp for the one that it does not.
//
// How the loops must look in machine code (docs/performance.md): accumulators and the vectors of B in registers, one
// broadcast of A per row, pointers that step by constants. Hence functions that are not inlined, and Pin.
#if defined(CPBENCH_MICROKERNELS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_MICROKERNELS_INL_HPP
#undef CPBENCH_MICROKERNELS_INL_HPP
#else
#define CPBENCH_MICROKERNELS_INL_HPP
#endif

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "backend/cpu/exp2-inl.hpp"
#include "backend/cpu/microkernels.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
// 6 x 4 accumulators need the 32 registers of AVX-512 and NEON; with 16 there is room for 6 x 2.
constexpr int kPanelVectors = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4 ? 2 : 4;
constexpr int kPanel = kPanelVectors * kLanes;

/// Keeps a vector in a register: the compiler would rather load it again for every multiply-add.
HWY_INLINE void Pin([[maybe_unused]] V& v) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
  asm("" : "+v"(v.raw));
#elif HWY_TARGET == HWY_NEON
  asm("" : "+w"(v.raw));
#endif
}

/// Calls body(i) for 0 <= i < kCount with constant i. GCC 12 unrolls loops only after it has decided which arrays live
/// in registers: with a loop, a tile of accumulators would be stored and loaded again around every micro-kernel.
template <int kCount, int kBegin = 0, class Body>
HWY_INLINE void Unrolled(const Body& body) {
  if constexpr (kBegin < kCount) {
    body(std::integral_constant<int, kBegin>());
    Unrolled<kCount, kBegin + 1>(body);
  }
}
/// For the bodies of Unrolled, which must vanish in the function around them.
#define CPBENCH_INLINED HWY_ATTR __attribute__((always_inline))

/// Calls body(r, v) for every row and vector of a tile.
template <int kVectors, class Body>
HWY_INLINE void ForTile(const Body& body) {
  Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED { Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { body(r, v); }); });
}

/// `count` values, a multiple of the lanes, times `factor`.
HWY_INLINE void ScaleValues(float* values, std::int64_t count, float factor) {
  const D d;
  for (std::int64_t i = 0; i < count; i += kLanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, values + i), hn::Set(d, factor)), d, values + i);
}

/// Words are fp32 numbers.
struct Fp32Words {
  static constexpr bool kPairs = false;
  static constexpr int kExp2Degree = 5;
  static HWY_INLINE V MultiplyAdd(V a, V b, V c) { return hn::MulAdd(a, b, c); }

  template <int kVectors>
  static HWY_INLINE void StoreRow(const V (&row)[kVectors], float* to) {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { hn::StoreU(row[v], D(), to + v * kLanes); });
  }
  template <int kVectors>
  static HWY_INLINE void StoreForSumsOverRows(const V (&tile)[kTileRows][kVectors], float* to) {
    Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED { StoreRow(tile[r], to + r * kBlockStride); });
  }
  /// Elements [begin, end) of a row of P times `factor`; both are multiples of the lanes.
  static HWY_INLINE void ScaleRow(float* row, int begin, int end, float factor) {
    ScaleValues(row + begin, end - begin, factor);
  }
};

/// c[r][v] += sum over depth of A[r] B[v]; A[r] at step k is a[r * kRowStep + k * kDepthStep]. Meanwhile `next` comes
/// into the second-level cache: a line here and there waits for nothing, where many at once would fill the queue of
/// misses.
template <class Words, int kRowStep, int kDepthStep, int kVectors>
HWY_INLINE void Accumulate(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int depth, Ahead next,
                           V (&c)[kTileRows][kVectors]) {
  const D d;
  for (; depth > 0; --depth) {
    V column[kVectors];
    __builtin_prefetch(next.words, 0, 2);
    next.words += next.step;
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      column[v] = hn::LoadU(d, b + v * kLanes);
      Pin(column[v]);
    });
    Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED {
      const V row = hn::Set(d, a[r * kRowStep]);
      Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { c[r][v] = Words::MultiplyAdd(row, column[v], c[r][v]); });
    });
    a += kDepthStep;
    b += kPanel;
  }
}

/// Scores less reduce[r], in units of log2.
template <class Words, int kVectors>
HWY_INLINE void ReducedScores(const float* q, const float* k, int depth, Ahead next, float scale, const float* reduce,
                              V (&s)[kTileRows][kVectors]) {
  const D d;
  if constexpr (Words::kPairs) {  // a scaled Q would have to be rounded to bf16 again
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { s[r][v] = hn::Zero(d); });
    Accumulate<Words, 1, kTileRows>(q, k, depth, next, s);
    const V factor = hn::Set(d, scale);
    ForTile<kVectors>([&](auto r, auto v)
                          CPBENCH_INLINED { s[r][v] = hn::MulSub(s[r][v], factor, hn::Set(d, reduce[r])); });
  } else {
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { s[r][v] = hn::Set(d, -reduce[r]); });
    Accumulate<Words, 1, kTileRows>(q, k, depth, next, s);
  }
}

template <int kVectors>
HWY_INLINE void MaskScores(const KeyLimits& limits, V (&s)[kTileRows][kVectors]) {
  const hn::RebindToSigned<D> di;
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED {
    const auto key = hn::Iota(di, v * kLanes);
    const auto before = hn::VecFromMask(di, hn::Lt(key, hn::Set(di, limits.begin[r])));
    const auto up_to_end = hn::VecFromMask(di, hn::Lt(key, hn::Set(di, limits.end[r])));
    const auto inside = hn::MaskFromVec(hn::BitCast(D(), hn::AndNot(before, up_to_end)));
    s[r][v] = hn::IfThenElse(inside, s[r][v], hn::Set(D(), kMaskedScore));
  });
}

// --- Forward -------------------------------------------------------------------------------------------------------

/// Raises m where a score exceeds it by too much, or where it has no value yet, and reduces `scores`
/// ([kTileRows][kPanel]) accordingly. A row's first m is its highest score, so that P is exactly 1 there, which bf16
/// holds exactly; later m is raised by integers, so that O, l and P are scaled by powers of two: exactly, too.
template <class Words>
HWY_NOINLINE void RaiseMaximum(const ScoresTile& t, float* scores) {
  const D d;
  const int count = t.vectors * kLanes;
  for (int r = 0; r < kTileRows; ++r) {
    float* row = scores + r * kPanel;
    V highest = hn::LoadU(d, row);
    for (int i = kLanes; i < count; i += kLanes) highest = hn::Max(highest, hn::LoadU(d, row + i));
    const float excess = hn::GetLane(hn::MaxOfLanes(d, highest));
    if (excess <= t.bound[r] || excess < 0.5f * kMaskedScore) continue;  // m is high enough, or the row sees no key

    const bool fresh = t.bound[r] < 0;
    const float raise = fresh ? excess : std::ceil(excess);
    for (int i = 0; i < count; i += kLanes) hn::StoreU(hn::Sub(hn::LoadU(d, row + i), hn::Set(d, raise)), d, row + i);
    t.m[r] += raise;
    t.bound[r] = kRaiseAbove;
    if (fresh) continue;  // O, l and P are zero
    const float factor = std::exp2(-raise);
    ScaleValues(t.l + r * kLanes, kLanes, factor);
    ScaleValues(t.o + r * t.o_stride, t.o_count, factor);
    Words::ScaleRow(t.p + r * kBlockStride, t.key_begin, t.key, factor);
  }
}

template <class Words, int kVectors>
HWY_INLINE bool AnyAbove(const V (&s)[kTileRows][kVectors], const float* bound) {
  const D d;
  V row_highest[kTileRows];
  Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED {
    row_highest[r] = s[r][0];
    Unrolled<kVectors, 1>([&](auto v) CPBENCH_INLINED { row_highest[r] = hn::Max(row_highest[r], s[r][v]); });
  });
  static_assert(kTileRows == 6);
  const V highest = hn::Max(hn::Max(hn::Max(row_highest[0], row_highest[1]), hn::Max(row_highest[2], row_highest[3])),
                            hn::Max(row_highest[4], row_highest[5]));
  const float lowest_bound = std::min({bound[0], bound[1], bound[2], bound[3], bound[4], bound[5]});
  return !hn::AllFalse(d, hn::Gt(highest, hn::Set(d, lowest_bound)));
}

template <class Words, int kVectors, bool kMasked>
HWY_NOINLINE void ScoresOfVectors(const ScoresTile& t) {
  const D d;
  V s[kTileRows][kVectors];
  ReducedScores<Words>(t.q, t.k, t.depth, t.next, t.score_scale, t.m, s);
  if constexpr (kMasked) MaskScores(*t.limits, s);

  if (HWY_UNLIKELY(AnyAbove<Words>(s, t.bound))) {
    HWY_ALIGN float scores[kTileRows * kPanel];
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { hn::Store(s[r][v], d, scores + r * kPanel + v * kLanes); });
    RaiseMaximum<Words>(t, scores);
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { s[r][v] = hn::Load(d, scores + r * kPanel + v * kLanes); });
  }

  float* p = t.p + (Words::kPairs ? t.key / 2 : t.key);
  float* l = t.l;
  Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED {
    V sum = hn::LoadU(d, l + r * kLanes);
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      s[r][v] = Exp2<Words::kExp2Degree>(d, s[r][v]);
      sum = hn::Add(sum, s[r][v]);
    });
    hn::StoreU(sum, d, l + r * kLanes);
    Words::StoreRow(s[r], p + r * kBlockStride);
  });
}

// --- Backward ------------------------------------------------------------------------------------------------------

template <class Words, int kVectors, bool kMasked>
HWY_NOINLINE void GradientsOfVectors(const GradientTile& t) {
  const D d;
  V tile[kTileRows][kVectors];
  HWY_ALIGN float probabilities[kTileRows][kPanel];

  ReducedScores<Words>(t.q, t.k, t.depth, {t.k, 0}, t.score_scale, t.lse, tile);
  if constexpr (kMasked) MaskScores(*t.limits, tile);
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED {
    tile[r][v] = Exp2<Words::kExp2Degree>(d, tile[r][v]);
    hn::Store(tile[r][v], d, probabilities[r] + v * kLanes);
  });
  Words::StoreForSumsOverRows(tile, t.p);

  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { tile[r][v] = hn::Set(d, -t.delta[r]); });
  Accumulate<Words, 1, kTileRows>(t.dout, t.v, t.depth_v, {t.v, 0}, tile);
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED {
    tile[r][v] = hn::Mul(tile[r][v], hn::Load(d, probabilities[r] + v * kLanes));
  });
  Words::StoreForSumsOverRows(tile, t.ds);
  if constexpr (Words::kPairs) {
    Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED { Words::StoreRow(tile[r], t.ds_keys + r * kBlockStride); });
  }
}

// --- Products ------------------------------------------------------------------------------------------------------

template <class Words, int kRowStep, int kDepthStep, int kVectors>
HWY_NOINLINE void ProductOfVectors(const Product& t) {
  const D d;
  V c[kTileRows][kVectors];
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { c[r][v] = hn::Zero(d); });
  Accumulate<Words, kRowStep, kDepthStep>(t.a, t.b, t.depth, t.next, c);
  const V alpha = hn::Set(d, t.alpha);
  float* row = t.c;
  const std::int64_t stride = t.c_stride;
  Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      hn::StoreU(hn::MulAdd(alpha, c[r][v], hn::LoadU(d, row + v * kLanes)), d, row + v * kLanes);
    });
    row += stride;
  });
}

// --- The table -----------------------------------------------------------------------------------------------------

/// Calls with<kVectors>() for the run-time number of vectors.
template <class With>
HWY_INLINE void WithVectors(int vectors, With&& with) {
  if constexpr (kPanelVectors == 4) {
    if (vectors == 4) return with(std::integral_constant<int, 4>());
    if (vectors == 3) return with(std::integral_constant<int, 3>());
  }
  if (vectors == 2) return with(std::integral_constant<int, 2>());
  with(std::integral_constant<int, 1>());
}

template <class Words>
void Scores(ScoresTile t) {
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR {
    const auto tile =
        t.limits == nullptr ? ScoresOfVectors<Words, vectors, false> : ScoresOfVectors<Words, vectors, true>;
    for (; t.tiles > 0; --t.tiles) {
      tile(t);
      t.q += t.depth * kTileRows;
      t.next.words += t.depth * t.next.step;
      t.p += kTileRows * kBlockStride;
      t.m += kTileRows;
      t.bound += kTileRows;
      t.l += kTileRows * kLanes;
      t.o += kTileRows * t.o_stride;
    }
  });
}

template <class Words>
void Gradients(GradientTile t) {
  constexpr int kRowWords = Words::kPairs ? kTileRows / 2 : kTileRows;
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR {
    const auto tile =
        t.limits == nullptr ? GradientsOfVectors<Words, vectors, false> : GradientsOfVectors<Words, vectors, true>;
    for (; t.tiles > 0; --t.tiles) {
      tile(t);
      t.q += t.depth * kTileRows;
      t.dout += t.depth_v * kTileRows;
      t.lse += kTileRows;
      t.delta += kTileRows;
      t.p += kRowWords * kBlockStride;
      t.ds += kRowWords * kBlockStride;
      t.ds_keys += kTileRows * kBlockStride;
    }
  });
}

template <class Words, int kRowStep, int kDepthStep>
void Multiply(Product t) {
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR {
    for (; t.tiles > 0; --t.tiles) {
      ProductOfVectors<Words, kRowStep, kDepthStep, vectors>(t);
      t.a += kTileRows * kRowStep;
      t.c += kTileRows * t.c_stride;
      t.next.words += t.depth * t.next.step;
    }
  });
}

template <class Words>
double MultiplyAddPeak(std::int64_t steps) {
  // At least 12 accumulators: two multiply-adds a cycle with a latency of 4 need 8, and that would leave no slack.
  constexpr int kVectors = kPanelVectors;
  static_assert(kTileRows * kVectors >= 12);
  const D d;
  V c[kTileRows][kVectors];
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED {
    c[r][v] = hn::Zero(d);
    Pin(c[r][v]);  // or the compiler sees that all are equal, and computes one
  });
  V a = hn::Set(d, 1.0f), b = hn::Set(d, 0.5f);
  for (std::int64_t step = 0; step < steps; ++step) {
    Pin(a);
    Pin(b);
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { c[r][v] = Words::MultiplyAdd(a, b, c[r][v]); });
  }
  V sum = hn::Zero(d);
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { sum = hn::Add(sum, c[r][v]); });
  const double flops = 2.0 * static_cast<double>(steps) * kTileRows * kVectors * kLanes * (Words::kPairs ? 2 : 1);
  return flops + 0 * static_cast<double>(hn::GetLane(sum));  // or all of the above would be for nothing
}

template <class Words>
void Exp2InPlace(float* values, std::int64_t count) {
  const D d;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    hn::StoreU(Exp2<Words::kExp2Degree>(d, hn::LoadU(d, values + i)), d, values + i);
  }
}

template <class Words>
constexpr Microkernels MakeMicrokernels(std::string_view isa) {
  return {.isa = isa,
          .bf16_pairs = Words::kPairs,
          .lanes = kLanes,
          .panel = kPanel,
          .scores = Scores<Words>,
          .gradients = Gradients<Words>,
          .product = Multiply<Words, kBlockStride, 1>,
          .product_transposed = Multiply<Words, 1, kBlockStride>,
          .multiply_add = MultiplyAddPeak<Words>,
          .exp2 = Exp2InPlace<Words>};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
