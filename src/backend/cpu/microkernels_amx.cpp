// The micro-kernels on AMX, the matrix unit of Xeons since the fourth generation: bf16 products by tdpbf16ps, whose
// tiles are 16 rows of A by 16 words by 16 columns of B; all else by AVX-512.
//
// A block of 32 x 32 of a product has four accumulators, and loads four operands for four multiplications: as few as
// eight tile registers allow.
//
// Sources: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18 (the state and its
// configuration), volume 2 (the instructions); Linux, Documentation/arch/x86/xstate.rst (the permission).
#include "backend/cpu/isa.hpp"

#if defined(__linux__) && defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define HWY_COMPILE_ONLY_STATIC
#define HWY_BASELINE_TARGETS HWY_AVX3
#include "hwy/highway.h"

#undef HWY_TARGET_STR
#define HWY_TARGET_STR HWY_TARGET_STR_AVX3 ",avx512bf16"
#include "backend/cpu/amx_forward-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

/// Operands of a block: A [kRows][depth] and B [depth][columns].
struct Operands {
  const float* a;
  std::int64_t a_stride;
  const float* b;
  std::int64_t b_stride;
};

/// One step of the summed index: kUnit words.
template <bool kTwoVectors>
HWY_INLINE void Step(Operands& from) {
  CPBENCH_TILE_LOAD(6, from.b, from.b_stride);
  CPBENCH_TILE_LOAD(4, from.a, from.a_stride);
  CPBENCH_TILE_LOAD(5, from.a + kUnit * from.a_stride, from.a_stride);
  CPBENCH_TILE_MULTIPLY(0, 4, 6);
  CPBENCH_TILE_MULTIPLY(2, 5, 6);
  if constexpr (kTwoVectors) {
    CPBENCH_TILE_LOAD(7, from.b + kUnit, from.b_stride);
    CPBENCH_TILE_MULTIPLY(1, 4, 7);
    CPBENCH_TILE_MULTIPLY(3, 5, 7);
  }
  from.a += kUnit;
  from.b += kUnit * from.b_stride;
}

/// Asks for `count` steps' words.
HWY_INLINE void Ask(Ahead& next, int count) {
  for (int i = 0; i < count; ++i) {
    __builtin_prefetch(next.words, 0, 2);
    next.words += next.step;
  }
}

// --- Backward ------------------------------------------------------------------------------------------------------

constexpr int kPair = 2;  // vectors of kColumns, and rows that share words of P and dS

/// A row of P and dS, from its scores and dP.
template <bool kMasked>
HWY_INLINE void GradientRow(const GradientTile& t, int r, const float* scores, const float* dp, V (&p)[kPair],
                            V (&ds)[kPair]) {
  const D d;
  const V scale = hn::Set(d, t.score_scale), lse = hn::Set(d, t.lse[r]), delta = hn::Set(d, t.delta[r]);
  Unrolled<kPair>([&](auto v) CPBENCH_INLINED { p[v] = hn::MulSub(hn::Load(d, scores + v * kLanes), scale, lse); });
  if constexpr (kMasked) MaskRow(t.limits, r, p);
  Unrolled<kPair>([&](auto v) CPBENCH_INLINED {
    p[v] = Exp2ByTable<true, true>(d, p[v]);
    ds[v] = hn::Mul(p[v], hn::Sub(hn::Load(d, dp + v * kLanes), delta));
  });
  Bf16Pairs::StoreRow(ds, t.ds_keys + r * kBlockStride);
}

/// P and dS of kRows x kColumns.
template <bool kMasked>
HWY_NOINLINE void MakeGradients(const GradientTile& t, const float* scores, const float* dp) {
  for (int r = 0; r < kRows; r += kPair) {
    V p[kPair][kPair], ds[kPair][kPair];
    Unrolled<kPair>([&](auto i) CPBENCH_INLINED {
      GradientRow<kMasked>(t, r + i, scores + (r + i) * kColumns, dp + (r + i) * kColumns, p[i], ds[i]);
    });
    const std::int64_t row_word = r / kPair * kBlockStride;
    Unrolled<kPair>([&](auto v) CPBENCH_INLINED {
      Bf16Pairs::StoreColumns(p[0][v], p[1][v], t.p + row_word + v * kLanes);
      Bf16Pairs::StoreColumns(ds[0][v], ds[1][v], t.ds + row_word + v * kLanes);
    });
  }
}

/// to [kRows][kColumns] = A B: A [kRows][depth], B half a panel.
HWY_INLINE void MultiplyHalfPanel(const float* a, const float* b, int depth, float* to) {
  ZeroBlock();
  Operands from{a, depth, b, kPanel};
  for (int step = 0; step < depth; step += kUnit) Step<true>(from);
  StoreBlock<true>(to, kColumns);
}

/// A tile's columns from `column` on.
HWY_INLINE GradientTile FromColumn(GradientTile t, int column) {
  t.k += column;
  t.v += column;
  for (int* limit : {&t.limits.begin, &t.limits.end, &t.limits.key_begin, &t.limits.key_end}) *limit -= column;
  t.p += column;
  t.ds += column;
  t.ds_keys += column / kPair;
  return t;
}

// --- Products ------------------------------------------------------------------------------------------------------

/// C [kRows][columns] += A B, of one vector of columns or two.
template <bool kTwoVectors>
HWY_INLINE void AddBlock(Operands from, int depth, float* c, std::int64_t c_stride, Ahead& next) {
  LoadBlock<kTwoVectors>(c, c_stride);
  for (; depth > 0; depth -= kUnit) {
    Step<kTwoVectors>(from);
    Ask(next, kUnit / 2);
  }
  StoreBlock<kTwoVectors>(c, c_stride);
}

// --- The table -----------------------------------------------------------------------------------------------------

/// Here both products of a tile go before its vectors: they would have to take turns row by row, waiting for each
/// other's stores, and gain nothing with a head_dim of 128, and lose with 64. Half a panel is used by all tiles before
/// the other: K, V, Q, dO and what is made of them share the first-level cache.
template <bool kMasked>
HWY_INLINE void GradientsOfColumns(GradientTile t) {
  HWY_ALIGN float scores[kRows * kColumns], dp[kRows * kColumns];
  for (; t.tiles > 0; --t.tiles) {
    MultiplyHalfPanel(t.q, t.k, t.depth, scores);
    MultiplyHalfPanel(t.dout, t.v, t.depth_v, dp);
    MakeGradients<kMasked>(t, scores, dp);
    t.q += t.depth * kRows;
    t.dout += t.depth_v * kRows;
    NextTile(t.limits, kRows);
    t.lse += kRows;
    t.delta += kRows;
    t.p += kRows / kPair * kBlockStride;
    t.ds += kRows / kPair * kBlockStride;
    t.ds_keys += kRows * kBlockStride;
  }
}
void Gradients(GradientTile t) {
  ConfigureTiles();
  const FlushSubnormals flush;
  for (int column = 0; column < t.vectors * kLanes; column += kColumns) {
    const GradientTile columns = FromColumn(t, column);
    t.masked ? GradientsOfColumns<true>(columns) : GradientsOfColumns<false>(columns);
  }
}

template <int kAStride, int kBStride>
void Multiply(Product t) {
  ConfigureTiles();
  for (; t.tiles > 0; --t.tiles) {
    int vector = 0;
    for (; vector + 2 <= t.vectors; vector += 2) {
      AddBlock<true>({t.a, kAStride, t.b + vector * kLanes, kBStride}, t.depth, t.c + vector * kLanes, t.c_stride,
                     t.next);
    }
    if (vector < t.vectors) {
      AddBlock<false>({t.a, kAStride, t.b + vector * kLanes, kBStride}, t.depth, t.c + vector * kLanes, t.c_stride,
                      t.next);
    }
    t.a += kRows * kAStride;
    t.c += kRows * t.c_stride;
  }
}

double MultiplyAddPeak(std::int64_t steps) {
  ConfigureTiles();
  ZeroBlock();
  CPBENCH_TILE_ZERO(4);
  CPBENCH_TILE_ZERO(5);
  CPBENCH_TILE_ZERO(6);
  CPBENCH_TILE_ZERO(7);
  for (std::int64_t step = 0; step < steps; ++step) {
    CPBENCH_TILE_MULTIPLY(0, 4, 6);
    CPBENCH_TILE_MULTIPLY(2, 5, 6);
    CPBENCH_TILE_MULTIPLY(1, 4, 7);
    CPBENCH_TILE_MULTIPLY(3, 5, 7);
  }
  return static_cast<double>(steps) * 4 * 2 * kUnit * kUnit * (2 * kUnit);
}

void Exp2OfAll(const float* from, float* to, std::int64_t count) {
  const FlushSubnormals flush;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    hn::StoreU(Exp2ByTable<true, true>(D(), hn::LoadU(D(), from + i)), D(), to + i);
  }
}

constexpr int kQueryRowWords = 112;  // 7 tiles of rows; rows of so many words do not share a cache set

constexpr Microkernels kAmxMicrokernels = {.isa = "avx512-amx",
                                           .bf16_pairs = true,
                                           .matrix_unit = &kMatrixUnit,
                                           .lanes = kLanes,
                                           .panel = kPanel,
                                           .tile_rows = kRows,
                                           .depth_unit = kUnit,
                                           .query_rows = 512,
                                           .query_row_words = kQueryRowWords,
                                           .scores = nullptr,
                                           .gradients = Gradients,
                                           .product = Multiply<kBlockStride, kPanel>,
                                           .product_transposed = Multiply<kQueryRowWords, kBlockStride>,
                                           .rows = {},
                                           .multiply_add = MultiplyAddPeak,
                                           .exp2 = Exp2OfAll};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

namespace cpbench {
namespace {

/// Whether the CPU multiplies tiles of bf16, and the kernel lets this process use tile registers: their state is large,
/// so it wants to be asked. It refuses where it does not keep that state. (By the CPU's own number, as Clang 14 has no
/// name for these.)
bool can_multiply_tiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr unsigned kBf16 = 1u << 22, kTiles = 1u << 24;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (~edx & (kBf16 | kTiles)) != 0) return false;
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

const Microkernels* avx512_amx_microkernels() {
  static const bool kUsable = avx512_bf16_microkernels() != nullptr && can_multiply_tiles();
  if (!kUsable) return nullptr;
  static const Microkernels kPairs = with_rows_of_avx512(N_AVX3::kAmxMicrokernels);
  return &kPairs;
}

}  // namespace cpbench
