// The micro-kernels as templates over what a word is. Included once per instruction set: by microkernels.cpp for all
// that Highway knows, by microkernels_avx512_bf16.cpp for the one that it does not.
// Each is a function that is not inlined, so that its registers are its own.
#if defined(CPBENCH_MICROKERNELS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_MICROKERNELS_INL_HPP
#undef CPBENCH_MICROKERNELS_INL_HPP
#else
#define CPBENCH_MICROKERNELS_INL_HPP
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "backend/cpu/exp2-inl.hpp"
#include "backend/cpu/microkernels.hpp"
#include "backend/cpu/register_tile-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// `count` values, a multiple of the lanes, times `factor`.
HWY_INLINE void ScaleValues(float* values, std::int64_t count, float factor) {
  const D d;
  for (std::int64_t i = 0; i < count; i += kLanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, values + i), hn::Set(d, factor)), d, values + i);
}

/// Words are fp32 numbers.
struct Fp32Words {
  static constexpr bool kPairs = false;
  static HWY_INLINE V MultiplyAdd(V a, V b, V c) { return hn::MulAdd(a, b, c); }

  template <int kVector>
  static HWY_INLINE void StoreVector(V vector, float* row) {
    hn::StoreU(vector, D(), row + kVector * kLanes);
  }
  /// Row r of dS; P is where it belongs.
  template <int kVectors, class Row>
  static HWY_INLINE void StoreRowOfGradients(const V (&ds)[kTileRows][kVectors], const float*, Row r,
                                             const GradientTile& t) {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { StoreVector<v>(ds[r][v], t.ds + r * kBlockStride); });
  }
  /// Elements [begin, end) of a row of P times `factor`; both are multiples of the lanes.
  static HWY_INLINE void ScaleRow(float* row, int begin, int end, float factor) {
    ScaleValues(row + begin, end - begin, factor);
  }
};

/// Scores less reduce[r], in units of log2; done(r) for each row.
template <class Words, int kVectors, class Rows, class Done>
HWY_INLINE void ReducedScores(const float* q, const float* k, int depth, Ahead next, float scale, const float* reduce,
                              V (&s)[kTileRows][kVectors], Rows rows, const Done& done) {
  const D d;
  if constexpr (Words::kPairs) {  // a scaled Q would have to be rounded to bf16 again
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { s[r][v] = hn::Zero(d); });
    const V factor = hn::Set(d, scale);
    Accumulate<Words, 1, kTileRows>(q, k, depth, next, s, rows, [&](auto r) CPBENCH_INLINED {
      Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { s[r][v] = hn::MulSub(s[r][v], factor, hn::Set(d, reduce[r])); });
      done(r);
    });
  } else {
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { s[r][v] = hn::Set(d, -reduce[r]); });
    Accumulate<Words, 1, kTileRows>(q, k, depth, next, s, rows, done);
  }
}

/// Row r of a tile. Keys are counted from the first that the row sees, without a sign: those before it are far beyond.
template <int kVectors>
HWY_INLINE void MaskRow(const KeyLimits& limits, int r, V (&s)[kVectors]) {
  const hn::RebindToUnsigned<D> du;
  const bool seen = limits.row_begin <= r && r < limits.row_end;
  const int begin = std::max(limits.key_begin, r + limits.begin);
  const int end = seen ? std::min(limits.key_end, r + limits.end) : begin;
  const auto count = hn::Set(du, static_cast<std::uint32_t>(std::max(0, end - begin)));
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
    const auto key = hn::Iota(du, static_cast<std::uint32_t>(v * kLanes - begin));
    s[v] = hn::IfThenElse(hn::RebindMask(D(), hn::Lt(key, count)), s[v], hn::Set(D(), kMaskedScore));
  });
}

/// The limits of the tile below one of so many rows.
HWY_INLINE void NextTile(KeyLimits& limits, int rows) {
  limits.begin += rows;
  limits.end += rows;
  limits.row_begin -= rows;
  limits.row_end -= rows;
}

// --- Forward -------------------------------------------------------------------------------------------------------

/// Raises m of row r if one of its `scores` exceeds it by too much, or if it has no value yet, and reduces the scores
/// accordingly. A row's first m is its highest score, so that P is exactly 1 there, which bf16 holds exactly; later m
/// is raised by integers, so that O, l and P are scaled by powers of two: exactly, too.
template <class Words>
HWY_NOINLINE void RaiseMaximum(const ScoresTile& t, int r, float* scores) {
  const D d;
  const int count = t.vectors * kLanes;
  V highest = hn::LoadU(d, scores);
  for (int i = kLanes; i < count; i += kLanes) highest = hn::Max(highest, hn::LoadU(d, scores + i));
  const float excess = hn::GetLane(hn::MaxOfLanes(d, highest));
  if (excess <= t.bound[r] || excess < 0.5f * kMaskedScore) return;  // m is high enough, or the row sees no key

  const bool fresh = t.bound[r] < 0;
  const float raise = fresh ? excess : std::ceil(excess);
  for (int i = 0; i < count; i += kLanes) {
    hn::StoreU(hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, raise)), d, scores + i);
  }
  t.m[r] += raise;
  t.bound[r] = kRaiseAbove;
  if (fresh) return;  // O, l and P are zero
  const float factor = std::exp2(-raise);
  ScaleValues(t.l + r * kLanes, kLanes, factor);
  ScaleValues(t.o + r * t.o_stride, t.o_count, factor);
  Words::ScaleRow(t.p + r * kBlockStride, t.key_begin, t.key, factor);
}

/// Rows of a tile that are yet to be exponentiated. Most of what that needs is not a multiply-add and runs on ports
/// that a product leaves idle: the product of the next tile, as this one's is over.
struct PendingRows {
  int rows;
  const float* scores;  ///< [rows][kPanel], reduced
  float *p, *l;

  /// Where there are none, a loop for them would only take registers from the product.
  bool left() const { return kExponentialsMeanwhile && rows > 0; }
  template <class Words, int kVector, int kVectors>
  HWY_INLINE void Do() {
    const D d;
    const V exponential = Exp2<Words::kPairs>(d, hn::Load(d, scores + kVector * kLanes));
    Words::template StoreVector<kVector>(exponential, p);
    if constexpr (Words::kPairs) {
      hn::StoreU(hn::Add(hn::LoadU(d, l), exponential), d, l);
    } else if constexpr (kVector == kVectors - 1) {  // P is there as it is: one store less a vector
      V sum = hn::Add(hn::LoadU(d, l), exponential);
      Unrolled<kVector>([&](auto v) CPBENCH_INLINED { sum = hn::Add(sum, hn::LoadU(d, p + v * kLanes)); });
      hn::StoreU(sum, d, l);
    }
  }
  HWY_INLINE void Advance() {
    --rows;
    scores += kPanel;
    p += kBlockStride;
    l += kLanes;
  }
};
template <class Words, int kVectors, class Rows>
HWY_INLINE void Finish(Rows& rows) {
  for (; rows.left(); rows.Advance()) {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { rows.template Do<Words, v, kVectors>(); });
  }
}

/// Does `pending`, and leaves the tile's own rows there where there are registers for that, with `scores` for memory.
template <class Words, int kVectors, bool kMasked>
HWY_NOINLINE void ScoresOfVectors(const ScoresTile& t, float* scores, PendingRows& pending) {
  const D d;
  V s[kTileRows][kVectors];
  V highest = hn::Set(d, 2 * kMaskedScore);
  const auto store = [&](auto r) CPBENCH_INLINED {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { hn::Store(s[r][v], d, scores + r * kPanel + v * kLanes); });
  };
  ReducedScores<Words>(t.q, t.k, t.depth, t.next, t.score_scale, t.m, s, pending, [&](auto r) CPBENCH_INLINED {
    if constexpr (kMasked) MaskRow(t.limits, r, s[r]);
    V of_row = s[r][0];
    Unrolled<kVectors, 1>([&](auto v) CPBENCH_INLINED { of_row = hn::Max(of_row, s[r][v]); });
    highest = hn::Max(of_row, highest);  // x86 returns the second operand beside NaN: a row of it hides no other
    if constexpr (kExponentialsMeanwhile) store(r);
  });

  const float lowest_bound = *std::min_element(t.bound, t.bound + kTileRows);
  const bool raise = !hn::AllFalse(d, hn::Gt(highest, hn::Set(d, lowest_bound)));
  if (HWY_UNLIKELY(raise)) {
    if constexpr (!kExponentialsMeanwhile) Unrolled<kTileRows>(store);
    for (int r = 0; r < kTileRows; ++r) RaiseMaximum<Words>(t, r, scores + r * kPanel);
  }

  float* p = t.p + (Words::kPairs ? t.key / 2 : t.key);
  if constexpr (kExponentialsMeanwhile) {
    pending = {kTileRows, scores, p, t.l};
    return;
  }
  if (HWY_UNLIKELY(raise)) {
    ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { s[r][v] = hn::Load(d, scores + r * kPanel + v * kLanes); });
  }
  Unrolled<kTileRows>([&](auto r) CPBENCH_INLINED {
    V sum = hn::LoadU(d, t.l + r * kLanes);
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      const V exponential = Exp2<Words::kPairs>(d, s[r][v]);
      sum = hn::Add(sum, exponential);
      Words::template StoreVector<v>(exponential, p + r * kBlockStride);
    });
    hn::StoreU(sum, d, t.l + r * kLanes);
  });
}

// --- Backward ------------------------------------------------------------------------------------------------------

/// Rows whose P is made during the product of dO V^T, in the place of their scores.
template <int kStride>
struct PendingProbabilities {
  int rows;
  float* p;  ///< [rows][kStride]

  bool left() const { return kExponentialsMeanwhile && rows > 0; }
  template <class Words, int kVector, int kVectors>
  HWY_INLINE void Do() {
    const D d;
    float* to = p + kVector * kLanes;
    hn::StoreU(Exp2<Words::kPairs>(d, hn::LoadU(d, to)), d, to);
  }
  HWY_INLINE void Advance() {
    --rows;
    p += kStride;
  }
};

template <class Words, int kVectors, bool kMasked>
HWY_NOINLINE void GradientsOfVectors(const GradientTile& t) {
  // P is where it belongs, unless a word holds two rows of it.
  constexpr int kStride = Words::kPairs ? kPanel : kBlockStride;
  HWY_ALIGN float rows[Words::kPairs ? kTileRows * kPanel : 1];
  float* p = Words::kPairs ? rows : t.p;
  const D d;
  V tile[kTileRows][kVectors];

  const auto scores_done = [&](auto r) CPBENCH_INLINED {
    if constexpr (kMasked) MaskRow(t.limits, r, tile[r]);
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      if constexpr (!kExponentialsMeanwhile) tile[r][v] = Exp2<Words::kPairs>(d, tile[r][v]);
      hn::StoreU(tile[r][v], d, p + r * kStride + v * kLanes);
    });
  };
  ReducedScores<Words>(t.q, t.k, t.depth, Ahead::nothing(t.k), t.score_scale, t.lse, tile, NoRows(), scores_done);

  PendingProbabilities<kStride> pending{kTileRows, p};
  if (!TimeForRows(t.depth_v, kVectors)) Finish<Words, kVectors>(pending);
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { tile[r][v] = hn::Set(d, -t.delta[r]); });
  const auto dp_done = [&](auto r) CPBENCH_INLINED {
    Unrolled<kVectors>(
        [&](auto v) CPBENCH_INLINED { tile[r][v] = hn::Mul(tile[r][v], hn::LoadU(d, p + r * kStride + v * kLanes)); });
    Words::StoreRowOfGradients(tile, p, r, t);
  };
  Accumulate<Words, 1, kTileRows>(t.dout, t.v, t.depth_v, Ahead::nothing(t.v), tile, pending, dp_done);
}

// --- Products ------------------------------------------------------------------------------------------------------

template <class Words, int kRowStep, int kDepthStep, int kVectors>
HWY_NOINLINE void ProductOfVectors(const Product& t) {
  const D d;
  V c[kTileRows][kVectors];
  ForTile<kVectors>([&](auto r, auto v) CPBENCH_INLINED { c[r][v] = hn::Zero(d); });
  float* row = t.c;
  const std::int64_t stride = t.c_stride;
  Accumulate<Words, kRowStep, kDepthStep>(t.a, t.b, t.depth, t.next, c, NoRows(), [&](auto r) CPBENCH_INLINED {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      hn::StoreU(hn::Add(c[r][v], hn::LoadU(d, row + v * kLanes)), d, row + v * kLanes);
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
    const auto tile = t.masked ? ScoresOfVectors<Words, vectors, true> : ScoresOfVectors<Words, vectors, false>;
    const bool meanwhile = TimeForRows(t.depth, vectors);
    HWY_ALIGN float scores[kTileRows * kPanel];
    PendingRows pending{};
    for (; t.tiles > 0; --t.tiles) {
      tile(t, scores, pending);
      if (!meanwhile) Finish<Words, vectors>(pending);
      t.q += t.depth * kTileRows;
      NextTile(t.limits, kTileRows);
      t.next.words += t.depth * t.next.step;
      t.p += kTileRows * kBlockStride;
      t.m += kTileRows;
      t.bound += kTileRows;
      t.l += kTileRows * kLanes;
      t.o += kTileRows * t.o_stride;
    }
    Finish<Words, vectors>(pending);
  });
}

template <class Words>
void Gradients(GradientTile t) {
  constexpr int kRowWords = Words::kPairs ? kTileRows / 2 : kTileRows;
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR {
    const auto tile = t.masked ? GradientsOfVectors<Words, vectors, true> : GradientsOfVectors<Words, vectors, false>;
    for (; t.tiles > 0; --t.tiles) {
      tile(t);
      t.q += t.depth * kTileRows;
      NextTile(t.limits, kTileRows);
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
void Exp2OfAll(const float* from, float* to, std::int64_t count) {
  const D d;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    hn::StoreU(Exp2<Words::kPairs>(d, hn::LoadU(d, from + i)), d, to + i);
  }
}

template <class Words>
constexpr Microkernels MakeMicrokernels(std::string_view isa) {
  return {.isa = isa,
          .bf16_pairs = Words::kPairs,
          .matrix_unit = nullptr,
          .lanes = kLanes,
          .panel = kPanel,
          .tile_rows = kTileRows,
          .depth_unit = 1,
          .query_rows = 96,        // 48 to 192 make no difference
          .query_row_words = 120,  // 64 loses 2 points
          .scores = Scores<Words>,
          .gradients = Gradients<Words>,
          .product = Multiply<Words, kBlockStride, 1>,
          .product_transposed = Multiply<Words, 1, kBlockStride>,
          .multiply_add = MultiplyAddPeak<Words>,
          .exp2 = Exp2OfAll<Words>};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
