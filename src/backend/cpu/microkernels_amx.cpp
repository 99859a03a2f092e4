// The micro-kernels on AMX, the matrix unit of Xeons since the fourth generation: bf16 products by tdpbf16ps, whose
// tiles are 16 rows of A by 16 words by 16 columns of B; all else by AVX-512.
//
// A block of 32 x 32 of a product has four accumulators, and loads four operands for four multiplications: as few as
// eight tile registers allow. The matrix unit works beside the vector units, which make P of one tile while the scores
// of the next are multiplied.
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
#include "backend/cpu/bf16_pairs-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

constexpr int kUnit = 16;                // rows, words and columns of a tile register
constexpr int kRows = 2 * kUnit;         // of a row tile
constexpr int kColumns = 2 * kUnit;      // that are multiplied at a time: half a panel
constexpr int kScoreKeys = kBlockWords;  // P takes the place of the scores, which are rows of fp32 in a block

// By assembly, which needs no compiler flag for functions that are inlined elsewhere. The compiler gives tile registers
// to nobody else, and is told which memory is read or written: floats from a pointer on, or, where Clang knows no array
// of unknown length, all. Registers 0 to 3 accumulate [row half][column half]; 4 and 5 hold A, 6 and 7 hold B.
#ifdef __clang__
#define CPBENCH_TILE_LOAD(tile, from, stride) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)) : "memory")
#define CPBENCH_TILE_STORE(tile, to, stride) \
  asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" : : "r"(to), "r"(Bytes(stride)) : "memory")
#else
#define CPBENCH_TILE_LOAD(tile, from, stride) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)), "m"(*(const float(*)[])(from)))
#define CPBENCH_TILE_STORE(tile, to, stride) \
  asm volatile("tilestored %%tmm" #tile ", (%1,%2,1)" : "=m"(*(float(*)[])(to)) : "r"(to), "r"(Bytes(stride)))
#endif
#define CPBENCH_TILE_ZERO(tile) asm volatile("tilezero %tmm" #tile)
#define CPBENCH_TILE_MULTIPLY(c, a, b) asm volatile("tdpbf16ps %tmm" #b ", %tmm" #a ", %tmm" #c)
constexpr std::int64_t Bytes(std::int64_t words) { return words * std::int64_t{sizeof(float)}; }

/// Gives this thread tiles of 16 rows of 64 bytes, once; they stay.
void ConfigureTiles() {
  struct alignas(64) Configuration {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t rows[16] = {};
  };
  static_assert(sizeof(Configuration) == 64);
  thread_local bool done = false;
  if (done) return;
  Configuration configuration;
  for (int tile = 0; tile < 8; ++tile) {
    configuration.row_bytes[tile] = kUnit * sizeof(float);
    configuration.rows[tile] = kUnit;
  }
  asm volatile("ldtilecfg %0" : : "m"(configuration));
  done = true;
}

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

template <bool kTwoVectors>
HWY_INLINE void StoreBlock(float* c, std::int64_t stride) {
  CPBENCH_TILE_STORE(0, c, stride);
  CPBENCH_TILE_STORE(2, c + kUnit * stride, stride);
  if constexpr (kTwoVectors) {
    CPBENCH_TILE_STORE(1, c + kUnit, stride);
    CPBENCH_TILE_STORE(3, c + kUnit * stride + kUnit, stride);
  }
}

/// Asks for `count` steps' words.
HWY_INLINE void Ask(Ahead& next, int count) {
  for (int i = 0; i < count; ++i) {
    __builtin_prefetch(next.words, 0, 2);
    next.words += next.step;
  }
}

/// to [kRows][columns] = A B for some columns of panels, a multiple of kColumns; A [kRows][depth]. Done step by step,
/// while vectors do something else.
class PanelsProduct {
 public:
  /// `b`: the first column, which is column `column` of the first panel.
  PanelsProduct(const float* a, const float* b, int depth, int column, int columns, float* to, std::int64_t to_stride)
      : a_(a),
        b_(b),
        from_{a, depth, b, kPanel},
        depth_(depth),
        steps_(columns / kColumns * depth / kUnit),
        to_(to),
        stride_(to_stride),
        column_(column) {}

  int steps() const { return steps_; }
  HWY_INLINE void Do() {
    if (done_ == 0) {
      CPBENCH_TILE_ZERO(0);
      CPBENCH_TILE_ZERO(1);
      CPBENCH_TILE_ZERO(2);
      CPBENCH_TILE_ZERO(3);
    }
    Step<true>(from_);
    --steps_;
    done_ += kUnit;
    if (done_ == depth_) EndBlock();
  }
  HWY_INLINE void Finish() {
    while (steps_ > 0) Do();
  }

 private:
  HWY_INLINE void EndBlock() {
    StoreBlock<true>(to_, stride_);
    to_ += kColumns;
    column_ += kColumns;
    b_ += kColumns;
    if (column_ % kPanel == 0) b_ += (depth_ - 1) * kPanel;
    from_.a = a_;
    from_.b = b_;
    done_ = 0;
  }

  const float *a_, *b_;
  Operands from_;
  int depth_, steps_;
  float* to_;
  std::int64_t stride_;
  int column_;
  int done_ = 0;
};

// --- Vectors beside the matrix unit --------------------------------------------------------------------------------
//
// While tiles are at work, and for some thousand cycles after, one of the two ports for vectors of 512 bits does no
// multiplications, maxima, shifts and conversions, but still additions, comparisons and permutations. So the latter are
// used where there is a choice.

/// Subnormal results become zero, as tdpbf16ps and the conversions to bf16 make them anyway: Exp2ByTable need not.
class FlushSubnormals {
 public:
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  static constexpr unsigned kFlushToZero = 0x8000;
  unsigned before_;
};

// --- Forward -------------------------------------------------------------------------------------------------------

/// Scores of a row less its m.
template <int kVectors, bool kMasked>
HWY_INLINE void ReduceScores(const ScoresTile& t, int r, V (&s)[kVectors]) {
  const D d;
  const float* row = t.p + r * kBlockStride + t.key;
  const V scale = hn::Set(d, t.score_scale), m = hn::Set(d, t.m[r]);
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { s[v] = hn::MulSub(hn::LoadU(d, row + v * kLanes), scale, m); });
  if constexpr (kMasked) MaskRow(t.limits, r, s);
}
/// P of a row in the place of its reduced scores; returns sums of it.
template <int kVectors>
HWY_INLINE V Exponentiate(V (&s)[kVectors]) {
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { s[v] = Exp2ByTable<true, true>(D(), s[v]); });
  V sums[2] = {s[0], s[1]};
  Unrolled<kVectors, 2>([&](auto v) CPBENCH_INLINED { sums[v % 2] = hn::Add(sums[v % 2], s[v]); });
  return hn::Add(sums[0], sums[1]);
}

/// The same with a maximum that may be higher.
template <int kVectors, bool kMasked>
HWY_NOINLINE V ExponentiateRaised(ScoresTile t, int r, V (&s)[kVectors]) {
  HWY_ALIGN float scores[kScoreKeys];
  ReduceScores<kVectors, kMasked>(t, r, s);
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { hn::Store(s[v], D(), scores + v * kLanes); });
  RaiseMaximum<Bf16Pairs>(t, r, scores);
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { s[v] = hn::Load(D(), scores + v * kLanes); });
  return Exponentiate(s);
}

constexpr float kHighestProbability = 1 << static_cast<int>(kRaiseAbove);

/// P of a tile, in the place of its scores. Meanwhile `next` is done, the scores of another. Whether m must be raised
/// is seen in the sums of P: that takes a comparison a row, and not one a vector.
template <int kVectors, bool kMasked>
HWY_NOINLINE void MakeProbabilities(const ScoresTile& t, PanelsProduct next) {
  const D d;
  const int steps = next.steps();
  int due = 0;
  for (int r = 0; r < kRows; ++r) {
    V s[kVectors];
    ReduceScores<kVectors, kMasked>(t, r, s);
    V sum = Exponentiate(s);
    const V highest = hn::Set(d, t.bound[r] < 0 ? -1.0f : kVectors * kHighestProbability);
    if (HWY_UNLIKELY(!hn::AllFalse(d, hn::Gt(sum, highest)))) sum = ExponentiateRaised<kVectors, kMasked>(t, r, s);
    hn::StoreU(hn::Add(hn::LoadU(d, t.l + r * kLanes), sum), d, t.l + r * kLanes);
    Bf16Pairs::StoreRow(s, t.p + r * kBlockStride + t.key / 2);
    for (due += steps; due >= kRows; due -= kRows) next.Do();
    for (int word = 0; word < t.next.step; word += kLineWords) {
      __builtin_prefetch(t.next.words + r * t.next.step + word, 0, 2);
    }
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
  CPBENCH_TILE_LOAD(0, c, c_stride);
  CPBENCH_TILE_LOAD(2, c + kUnit * c_stride, c_stride);
  if constexpr (kTwoVectors) {
    CPBENCH_TILE_LOAD(1, c + kUnit, c_stride);
    CPBENCH_TILE_LOAD(3, c + kUnit * c_stride + kUnit, c_stride);
  }
  for (; depth > 0; depth -= kUnit) {
    Step<kTwoVectors>(from);
    Ask(next, kUnit / 2);
  }
  StoreBlock<kTwoVectors>(c, c_stride);
}

// --- The table -----------------------------------------------------------------------------------------------------

/// Calls with<kVectors>() for the run-time number of vectors, an even one.
template <int kMost, class With>
HWY_INLINE void WithEvenVectors(int vectors, const With& with) {
  if constexpr (kMost > 2) {
    if (vectors < kMost) return WithEvenVectors<kMost - 2>(vectors, with);
  }
  with(std::integral_constant<int, kMost>());
}

void Scores(ScoresTile t) {
  ConfigureTiles();
  const FlushSubnormals flush;
  const auto scores_of = [&](const float* q, float* p, int vectors) {
    return PanelsProduct(q, t.k, t.depth, t.key % kPanel, vectors * kLanes, p + t.key, kBlockStride);
  };
  scores_of(t.q, t.p, t.vectors).Finish();
  WithEvenVectors<kScoreKeys / kLanes>(t.vectors, [&](auto vectors) HWY_ATTR {
    for (; t.tiles > 0; --t.tiles) {
      t.q += t.depth * kRows;
      const PanelsProduct next = scores_of(t.q, t.p + kRows * kBlockStride, t.tiles > 1 ? vectors : 0);
      t.masked ? MakeProbabilities<vectors, true>(t, next) : MakeProbabilities<vectors, false>(t, next);
      t.next.words += kRows * t.next.step;
      NextTile(t.limits, kRows);
      t.p += kRows * kBlockStride;
      t.m += kRows;
      t.bound += kRows;
      t.l += kRows * kLanes;
      t.o += kRows * t.o_stride;
    }
  });
}

/// Here both products of a tile go before its vectors: they would have to take turns row by row, waiting for each
/// other's stores, and gain nothing with a head_dim of 128, and lose with 64. Half a panel is used by all tiles before
/// the other: K, V, Q, dO and what is made of them share the first-level cache.
template <bool kMasked>
HWY_INLINE void GradientsOfColumns(GradientTile t) {
  HWY_ALIGN float scores[kRows * kColumns], dp[kRows * kColumns];
  for (; t.tiles > 0; --t.tiles) {
    PanelsProduct(t.q, t.k, t.depth, 0, kColumns, scores, kColumns).Finish();
    PanelsProduct(t.dout, t.v, t.depth_v, 0, kColumns, dp, kColumns).Finish();
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
  CPBENCH_TILE_ZERO(0);
  CPBENCH_TILE_ZERO(1);
  CPBENCH_TILE_ZERO(2);
  CPBENCH_TILE_ZERO(3);
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
                                           .matrix_unit = true,
                                           .lanes = kLanes,
                                           .panel = kPanel,
                                           .score_keys = kScoreKeys,
                                           .tile_rows = kRows,
                                           .depth_unit = kUnit,
                                           .query_rows = 512,
                                           .query_row_words = kQueryRowWords,
                                           .scores = Scores,
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
