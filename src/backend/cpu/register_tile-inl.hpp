// A register tile, kTileRows rows by up to kPanelVectors vectors, and the product that accumulates in it. Included once
// per instruction set, see microkernels-inl.hpp.
//
// How the loops must look in machine code (docs/performance.md): accumulators and the vectors of B in registers, one
// broadcast of A per row, pointers that step by constants. Hence Unrolled, and Pin.
#if defined(CPBENCH_REGISTER_TILE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_REGISTER_TILE_INL_HPP
#undef CPBENCH_REGISTER_TILE_INL_HPP
#else
#define CPBENCH_REGISTER_TILE_INL_HPP
#endif

#include <algorithm>
#include <type_traits>

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
/// Rows of a register tile. With six rows of four vectors a step is 24 multiply-adds on 10 loads, and 29 of 32
/// registers.
constexpr int kTileRows = 6;
/// Those 32 registers also have room for an exponential beside a product.
constexpr bool kExponentialsMeanwhile = kPanelVectors == 4 && kLanes > 1;
/// How many of the last steps of a product are made for two rows at a time.
constexpr int kLastSteps = HWY_TARGET == HWY_AVX3 ? 6 : 0;

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

/// Steps of a product for the rows [kBegin, kEnd) of a tile: A and B as in Accumulate.
template <class Words, int kRowStep, int kDepthStep, int kBegin, int kEnd, int kVectors>
HWY_INLINE void Step(const float* HWY_RESTRICT& a, const float* HWY_RESTRICT& b, V (&c)[kTileRows][kVectors]) {
  const D d;
  V column[kVectors];
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
    column[v] = hn::LoadU(d, b + v * kLanes);
    Pin(column[v]);
  });
  Unrolled<kEnd, kBegin>([&](auto r) CPBENCH_INLINED {
    const V row = hn::Set(d, a[r * kRowStep]);
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { c[r][v] = Words::MultiplyAdd(row, column[v], c[r][v]); });
  });
  a += kDepthStep;
  b += kPanel;
}

/// For products during which nothing else is done.
struct NoRows {
  static constexpr bool left() { return false; }
  template <class, int, int>
  static HWY_INLINE void Do() {}
  static HWY_INLINE void Advance() {}
};

/// Whether so many steps have time for all rows of a tile.
HWY_INLINE bool TimeForRows(int depth, int vectors) {
  return kExponentialsMeanwhile && depth - kLastSteps >= kTileRows * vectors;
}

/// c[r][v] += sum over depth of A[r] B[v], and then done(r) for each row; A[r] at step k is a[r * kRowStep + k *
/// kDepthStep]. Meanwhile `next` comes into the second-level cache: a line here and there waits for nothing, where many
/// at once would fill the queue of misses. And meanwhile all of `rows` is done, a vector a step.
///
/// The last steps are made for two rows at a time, so that done(r), which stores, runs beside those of the next two: on
/// Zen 4 a store every six multiply-adds takes no time, and twice as many take as long as 1.4 multiply-adds each.
template <class Words, int kRowStep, int kDepthStep, int kVectors, class Rows, class Done>
HWY_INLINE void Accumulate(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int depth, Ahead next,
                           V (&c)[kTileRows][kVectors], Rows rows, const Done& done) {
  const auto step = [&]() CPBENCH_INLINED {
    __builtin_prefetch(next.words, 0, 2);
    next.words += next.step;
    Step<Words, kRowStep, kDepthStep, 0, kTileRows>(a, b, c);
  };
  const int last = std::min(depth, kLastSteps);
  depth -= last;
  for (; rows.left(); rows.Advance(), depth -= kVectors) {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      step();
      rows.template Do<Words, v, kVectors>();
    });
  }
  for (; depth > 0; --depth) step();
  Unrolled<kTileRows / 2>([&](auto pair) CPBENCH_INLINED {
    constexpr int kRow = 2 * pair;
    const float *a_last = a, *b_last = b;
    for (int i = 0; i < last; ++i) {
      if constexpr (kRow == 0) {
        __builtin_prefetch(next.words, 0, 2);
        next.words += next.step;
      }
      Step<Words, kRowStep, kDepthStep, kRow, kRow + 2>(a_last, b_last, c);
    }
    done(std::integral_constant<int, kRow>());
    done(std::integral_constant<int, kRow + 1>());
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
