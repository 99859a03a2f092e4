// The forward pass on AMX: the matrix unit works beside the vector units, which make P of one block while the scores of
// the next and P V of one before are multiplied. Included by microkernels_amx.cpp.
#if defined(CPBENCH_AMX_FORWARD_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_AMX_FORWARD_INL_HPP
#undef CPBENCH_AMX_FORWARD_INL_HPP
#else
#define CPBENCH_AMX_FORWARD_INL_HPP
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backend/cpu/amx_tiles-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

/// Queries 0 ... 31 of the tile that see the key, as bits.
HWY_INLINE std::uint32_t QueriesThatSee(const KeyLimits& limits, int key) {
  if (key < limits.key_begin || key >= limits.key_end) return 0;
  const int begin = std::clamp(key - limits.end + 1, std::max(limits.row_begin, 0), kMatrixTile);
  const int end = std::clamp(key - limits.begin + 1, begin, std::clamp(limits.row_end, begin, kMatrixTile));
  return static_cast<std::uint32_t>((std::uint64_t{1} << end) - (std::uint64_t{1} << begin));
}

/// Scores of a key and kLanes queries, of which those in `seen` count.
HWY_INLINE V SeenScores(V scores, std::uint32_t seen, int vector) {
  return V{
      _mm512_mask_mov_ps(_mm512_set1_ps(kMaskedScore), static_cast<__mmask16>(seen >> (vector * kLanes)), scores.raw)};
}

/// P of a block, two keys and a vector of queries at a time.
template <bool kMasked>
class Probabilities {
 public:
  static constexpr int kVectors = kMatrixTile / kLanes;

  Probabilities(const MatrixScores& block, const float* m, float* l, float* p)
      : scores_(block.scores), p_(p), limits_(block.limits), scale_(hn::Set(D(), block.score_scale)), l_(l) {
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      m_vectors_[v] = hn::LoadU(D(), m + v * kLanes);
      l_vectors_[v] = hn::LoadU(D(), l + v * kLanes);
    });
  }

  HWY_INLINE bool left() const { return key_ < kMatrixTile; }
  /// Vector v of the next two keys: all in turn.
  template <int v>
  HWY_INLINE void Do() {
    V exponentials[2];
    Unrolled<2>([&](auto odd) CPBENCH_INLINED {
      V s = hn::MulSub(hn::Load(D(), scores_ + odd * kMatrixTile + v * kLanes), scale_, m_vectors_[v]);
      if constexpr (kMasked) s = SeenScores(s, QueriesThatSee(limits_, key_ + odd), v);
      exponentials[odd] = Exp2ByTable<true, true>(D(), s);
    });
    l_vectors_[v] = hn::Add(l_vectors_[v], hn::Add(exponentials[0], exponentials[1]));
    Bf16Pairs::StoreColumns(exponentials[0], exponentials[1], p_ + v * kLanes);
    if constexpr (v == kVectors - 1) {
      scores_ += 2 * kMatrixTile;
      p_ += kMatrixTile;
      key_ += 2;
    }
  }
  HWY_INLINE void Finish() {
    while (left()) Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { Do<v>(); });
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { hn::StoreU(l_vectors_[v], D(), l_ + v * kLanes); });
  }

 private:
  const float* scores_;
  float* p_;
  int key_ = 0;
  KeyLimits limits_;
  V scale_, m_vectors_[kVectors], l_vectors_[kVectors];
  float* l_;
};

/// For products during which nothing else is done.
struct Nothing {
  static constexpr int kVectors = 1;
  static constexpr bool left() { return false; }
  template <int>
  static HWY_INLINE void Do() {}
};

/// A product, and after each multiplication kShare of the `vectors`: few at a time, and never several multiplications
/// in a row, as both wait for the same ports. K and V pass by: they do not drive all else from the first-level cache.
template <int kShare, class Vectors>
HWY_INLINE void MultiplyBeside(const MatrixProduct& product, Vectors& vectors) {
  const auto meanwhile = [&](auto slot) CPBENCH_INLINED {
    if (!vectors.left()) return;
    Unrolled<kShare>([&](auto i) CPBENCH_INLINED { vectors.template Do<(slot * kShare + i) % Vectors::kVectors>(); });
  };
  product.add ? LoadBlock<true>(product.c, kMatrixTile) : ZeroBlock();
  const float *a = product.a, *b = product.b;
  for (int step = 0; step < product.depth; step += kUnit) {
    CPBENCH_TILE_STREAM(4, a, kUnit);
    CPBENCH_TILE_LOAD(6, b, kMatrixTile);
    CPBENCH_TILE_MULTIPLY(0, 4, 6);
    meanwhile(std::integral_constant<int, 0>());
    CPBENCH_TILE_LOAD(7, b + kUnit, kMatrixTile);
    CPBENCH_TILE_MULTIPLY(1, 4, 7);
    meanwhile(std::integral_constant<int, 1>());
    CPBENCH_TILE_STREAM(5, a + kUnit * kUnit, kUnit);
    CPBENCH_TILE_MULTIPLY(2, 5, 6);
    meanwhile(std::integral_constant<int, 2>());
    CPBENCH_TILE_MULTIPLY(3, 5, 7);
    meanwhile(std::integral_constant<int, 3>());
    a += kMatrixTile * kUnit;
    b += kMatrixTile * kUnit;
  }
  StoreBlock<true>(product.c, kMatrixTile);
}

template <bool kMasked>
HWY_NOINLINE void MakeProbabilities(const MatrixScores& scores, const float* m, float* l, float* p,
                                    const MatrixProduct* meanwhile, int count) {
  Probabilities<kMasked> vectors(scores, m, l, p);
  constexpr int kMultiplications = 4, kAll = kMatrixTile / 2 * vectors.kVectors;
  int multiplications = 0;
  for (int i = 0; i < count; ++i) multiplications += meanwhile[i].depth / kUnit * kMultiplications;
  for (int i = 0; i < count; ++i) {
    if (multiplications >= kAll) {
      MultiplyBeside<1>(meanwhile[i], vectors);
    } else if (2 * multiplications >= kAll) {
      MultiplyBeside<2>(meanwhile[i], vectors);
    } else {
      MultiplyBeside<4>(meanwhile[i], vectors);
    }
  }
  vectors.Finish();
}

void ProbabilitiesBeside(const MatrixScores& scores, const float* m, float* l, float* p, const MatrixProduct* meanwhile,
                         int count) {
  ConfigureTiles();
  const FlushSubnormals flush;
  const auto make = scores.masked ? MakeProbabilities<true> : MakeProbabilities<false>;
  make(scores, m, l, p, meanwhile, count);
}

void MultiplyAll(const MatrixProduct* products, int count) {
  ConfigureTiles();
  Nothing nothing;
  for (int i = 0; i < count; ++i) MultiplyBeside<1>(products[i], nothing);
}

void HighestScores(const MatrixScores& block, float* highest) {
  const D d;
  for (int key = 0; key < kMatrixTile; ++key) {
    const std::uint32_t seen = block.masked ? QueriesThatSee(block.limits, key) : ~std::uint32_t{0};
    for (int v = 0; v < kMatrixTile / kLanes; ++v) {
      const V s = hn::Mul(hn::Load(d, block.scores + key * kMatrixTile + v * kLanes), hn::Set(d, block.score_scale));
      float* of_queries = highest + v * kLanes;
      hn::StoreU(hn::Max(SeenScores(s, seen, v), hn::LoadU(d, of_queries)), d, of_queries);
    }
  }
}

void ScaleQueries(float* rows, int count, const float* factors) {
  const D d;
  for (int row = 0; row < count; ++row) {
    for (int query = 0; query < kMatrixTile; query += kLanes) {
      float* values = rows + row * kMatrixTile + query;
      hn::Store(hn::Mul(hn::Load(d, values), hn::LoadU(d, factors + query)), d, values);
    }
  }
}

constexpr MatrixUnit kMatrixUnit = {
    .multiply = MultiplyAll, .probabilities = ProbabilitiesBeside, .highest = HighestScores, .scale = ScaleQueries};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
