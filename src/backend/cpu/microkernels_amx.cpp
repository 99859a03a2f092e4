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

constexpr int kUnit = 16;         // rows, words and columns of a tile register
constexpr int kRows = 2 * kUnit;  // of a row tile
constexpr int kPairVectors = 2;   // vectors of columns that are multiplied at a time

// By assembly, which needs no compiler flag for functions that are inlined elsewhere. The compiler gives tile registers
// to nobody else, and is told which memory is read or written: floats from a pointer on. Registers 0 to 3 accumulate
// [row half][column half]; 4 and 5 hold A, 6 and 7 hold B.
#define CPBENCH_TILE_LOAD(tile, from, stride) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)), "m"(*(const float(*)[])(from)))
#define CPBENCH_TILE_STORE(tile, to, stride) \
  asm volatile("tilestored %%tmm" #tile ", (%1,%2,1)" : "=m"(*(float(*)[])(to)) : "r"(to), "r"(Bytes(stride)))
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

/// Calls block(vector, two_vectors) for the columns of `kVectors` vectors, two vectors at a time.
template <int kVectors, class Block>
HWY_INLINE void ForBlocks(const Block& block) {
  Unrolled<kVectors / kPairVectors>([&](auto pair) CPBENCH_INLINED { block(pair * kPairVectors, std::true_type()); });
  if constexpr (kVectors % kPairVectors == 1) block(kVectors - 1, std::false_type());
}

/// Scores of a tile, or another product of rows with a panel: to [kRows][kPanel] = A B. Meanwhile `rows` is done.
template <int kVectors, class Rows>
HWY_INLINE void MultiplyPanel(const float* a, const float* b, int depth, Ahead& next, float* to, Rows& rows) {
  constexpr int kBlocks = (kVectors + 1) / kPairVectors;
  const int steps = depth / kUnit, share = (kRows + steps * kBlocks - 1) / (steps * kBlocks);
  ForBlocks<kVectors>([&](int vector, auto two) CPBENCH_INLINED {
    Operands from{a, depth, b + vector * kLanes, kPanel};
    CPBENCH_TILE_ZERO(0);
    CPBENCH_TILE_ZERO(1);
    CPBENCH_TILE_ZERO(2);
    CPBENCH_TILE_ZERO(3);
    for (int step = 0; step < steps; ++step) {
      Step<two>(from);
      Ask(next, kUnit / kBlocks);
      rows.Do(share);
    }
    StoreBlock<two>(to + vector * kLanes, kPanel);
  });
}

// --- Vectors beside the matrix unit --------------------------------------------------------------------------------
//
// While tiles are at work, and for some thousand cycles after, one of the two ports for vectors of 512 bits does no
// multiplications, maxima, shifts and conversions, but still additions, comparisons and permutations. So the latter are
// used where there is a choice.

/// Subnormal results become zero, as tdpbf16ps and the conversions to bf16 make them anyway: 2^x needs no care for
/// them.
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

/// 2^x for x <= 127, with FlushSubnormals: x = n + f for n in sixteenths, 2^frac(n) from a table, and a minimax
/// polynomial of degree 2 for 2^f. Its relative error is 5e-7.
HWY_INLINE V Exp2ByTable(V x) {
  HWY_ALIGN static constexpr float kSixteenths[16] = {0x1p0f,        0x1.0b5586p0f, 0x1.172b84p0f, 0x1.2387a6p0f,
                                                      0x1.306fe0p0f, 0x1.3dea64p0f, 0x1.4bfdaep0f, 0x1.5ab07ep0f,
                                                      0x1.6a09e6p0f, 0x1.7a1148p0f, 0x1.8ace54p0f, 0x1.9c4918p0f,
                                                      0x1.ae89fap0f, 0x1.c199bep0f, 0x1.d5818ep0f, 0x1.ea4afap0f};
  const D d;
  const V shift = hn::Set(d, 0x1.8p19f);  // after adding it the last bit is worth a sixteenth
  const V shifted = hn::Add(x, shift);
  const V n = hn::Sub(shifted, shift);
  const V f = hn::Sub(x, n);
  const V power{_mm512_permutexvar_ps(_mm512_castps_si512(shifted.raw), _mm512_load_ps(kSixteenths))};
  const V slope = hn::MulAdd(hn::Set(d, 0x1.ebfbe0p-3f), f, hn::Set(d, 0x1.62e98ap-1f));
  return V{_mm512_scalef_ps(hn::MulAdd(hn::Mul(power, f), slope, power).raw, n.raw)};
}

/// Whether one of the numbers is greater.
template <int kVectors>
HWY_INLINE bool AnyAbove(const V (&s)[kVectors], V bound) {
  __mmask16 none = 0xffff;
  Unrolled<kVectors>([&](auto v)
                         CPBENCH_INLINED { none = _mm512_mask_cmp_ps_mask(none, s[v].raw, bound.raw, _CMP_NGT_UQ); });
  return none != 0xffff;
}

// --- Forward -------------------------------------------------------------------------------------------------------

template <int kVectors>
HWY_INLINE void StoreProbabilities(const V (&s)[kVectors], float* l, float* p) {
  const D d;
  V exponentials[kVectors], sum = hn::LoadU(d, l);
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
    exponentials[v] = Exp2ByTable(s[v]);
    sum = hn::Add(sum, exponentials[v]);
  });
  hn::StoreU(sum, d, l);
  Bf16Pairs::StoreRow(exponentials, p);
}

/// A row that may raise its maximum, with its reduced scores in memory.
template <int kVectors>
HWY_NOINLINE void RaisedRow(ScoresTile t, int r, float* scores) {
  RaiseMaximum<Bf16Pairs>(t, r, scores);
  V s[kVectors];
  Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { s[v] = hn::Load(D(), scores + v * kLanes); });
  StoreProbabilities(s, t.l + r * kLanes, t.p + r * kBlockStride + t.key / 2);
}

/// Rows of a tile whose scores are there, and whose P is yet to be made.
template <int kVectors, bool kMasked>
class ScoredRows {
 public:
  ScoredRows() = default;
  ScoredRows(const ScoresTile& tile, float* scores) : t_(tile), scores_(scores), next_(0) {}

  HWY_INLINE void Do(int count) {
    const int end = std::min(next_ + count, kRows);
    for (; next_ < end; ++next_) Row(next_, scores_ + next_ * kPanel);
  }

 private:
  HWY_INLINE void Row(int r, float* scores) const {
    const D d;
    V s[kVectors];
    const V scale = hn::Set(d, t_.score_scale), m = hn::Set(d, t_.m[r]);
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { s[v] = hn::MulSub(hn::Load(d, scores + v * kLanes), scale, m); });
    if constexpr (kMasked) MaskRow(t_.limits, r, s);
    if (HWY_UNLIKELY(AnyAbove(s, hn::Set(d, t_.bound[r])))) {
      Unrolled<kVectors>([&](auto v) CPBENCH_INLINED { hn::Store(s[v], d, scores + v * kLanes); });
      RaisedRow<kVectors>(t_, r, scores);
    } else {
      StoreProbabilities(s, t_.l + r * kLanes, t_.p + r * kBlockStride + t_.key / 2);
    }
  }

  ScoresTile t_{};
  float* scores_ = nullptr;
  int next_ = kRows;
};

template <int kVectors, bool kMasked>
HWY_NOINLINE void ScoresOfVectors(ScoresTile t) {
  HWY_ALIGN float scores[2][kRows * kPanel];
  ScoredRows<kVectors, kMasked> rows;
  for (int tile = 0; tile < t.tiles; ++tile) {
    MultiplyPanel<kVectors>(t.q, t.k, t.depth, t.next, scores[tile % 2], rows);
    rows.Do(kRows);
    rows = {t, scores[tile % 2]};
    t.q += t.depth * kRows;
    NextTile(t.limits, kRows);
    t.p += kRows * kBlockStride;
    t.m += kRows;
    t.bound += kRows;
    t.l += kRows * kLanes;
    t.o += kRows * t.o_stride;
  }
  rows.Do(kRows);
}

// --- Backward ------------------------------------------------------------------------------------------------------

/// Rows of a tile whose scores and dP are there, and whose P and dS are yet to be made, two at a time.
template <int kVectors, bool kMasked>
class GradedRows {
 public:
  GradedRows() = default;
  GradedRows(const GradientTile& tile, const float* scores, const float* dp)
      : t_(tile), scores_(scores), dp_(dp), next_(0) {}

  HWY_INLINE void Do(int count) {
    const int end = std::min(next_ + count, kRows);
    for (; next_ < end; next_ += 2) TwoRows(next_);
  }

 private:
  HWY_INLINE void Row(int r, V (&p)[kVectors], V (&ds)[kVectors]) {
    const D d;
    const V scale = hn::Set(d, t_.score_scale), lse = hn::Set(d, t_.lse[r]), delta = hn::Set(d, t_.delta[r]);
    const float *scores = scores_ + r * kPanel, *dp = dp_ + r * kPanel;
    Unrolled<kVectors>([&](auto v)
                           CPBENCH_INLINED { p[v] = hn::MulSub(hn::Load(d, scores + v * kLanes), scale, lse); });
    if constexpr (kMasked) MaskRow(t_.limits, r, p);
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      p[v] = Exp2ByTable(p[v]);
      ds[v] = hn::Mul(p[v], hn::Sub(hn::Load(d, dp + v * kLanes), delta));
    });
    Bf16Pairs::StoreRow(ds, t_.ds_keys + r * kBlockStride);
  }
  HWY_INLINE void TwoRows(int r) {
    V p[2][kVectors], ds[2][kVectors];
    Row(r, p[0], ds[0]);
    Row(r + 1, p[1], ds[1]);
    const std::int64_t row_word = r / 2 * kBlockStride;
    Unrolled<kVectors>([&](auto v) CPBENCH_INLINED {
      Bf16Pairs::StoreColumns(p[0][v], p[1][v], t_.p + row_word + v * kLanes);
      Bf16Pairs::StoreColumns(ds[0][v], ds[1][v], t_.ds + row_word + v * kLanes);
    });
  }

  GradientTile t_{};
  const float *scores_ = nullptr, *dp_ = nullptr;
  int next_ = kRows;
};

template <int kVectors, bool kMasked>
HWY_NOINLINE void GradientsOfVectors(GradientTile t) {
  HWY_ALIGN float scores[2][kRows * kPanel];
  HWY_ALIGN float dp[2][kRows * kPanel];
  GradedRows<kVectors, kMasked> rows;
  Ahead nothing = Ahead::nothing(t.k);
  for (int tile = 0; tile < t.tiles; ++tile) {
    MultiplyPanel<kVectors>(t.q, t.k, t.depth, nothing, scores[tile % 2], rows);
    MultiplyPanel<kVectors>(t.dout, t.v, t.depth_v, nothing, dp[tile % 2], rows);
    rows.Do(kRows);
    rows = {t, scores[tile % 2], dp[tile % 2]};
    t.q += t.depth * kRows;
    t.dout += t.depth_v * kRows;
    NextTile(t.limits, kRows);
    t.lse += kRows;
    t.delta += kRows;
    t.p += kRows / 2 * kBlockStride;
    t.ds += kRows / 2 * kBlockStride;
    t.ds_keys += kRows * kBlockStride;
  }
  rows.Do(kRows);
}

// --- Products ------------------------------------------------------------------------------------------------------

template <int kAStride, int kBStride, int kVectors>
HWY_NOINLINE void ProductOfVectors(Product t) {
  constexpr int kBlocks = (kVectors + 1) / kPairVectors;
  for (; t.tiles > 0; --t.tiles) {
    ForBlocks<kVectors>([&](int vector, auto two) CPBENCH_INLINED {
      Operands from{t.a, kAStride, t.b + vector * kLanes, kBStride};
      float* c = t.c + vector * kLanes;
      CPBENCH_TILE_LOAD(0, c, t.c_stride);
      CPBENCH_TILE_LOAD(2, c + kUnit * t.c_stride, t.c_stride);
      if constexpr (two) {
        CPBENCH_TILE_LOAD(1, c + kUnit, t.c_stride);
        CPBENCH_TILE_LOAD(3, c + kUnit * t.c_stride + kUnit, t.c_stride);
      }
      for (int depth = t.depth; depth > 0; depth -= kUnit) {
        Step<two>(from);
        Ask(t.next, kUnit / kBlocks);
      }
      StoreBlock<two>(c, t.c_stride);
    });
    t.a += kRows * kAStride;
    t.c += kRows * t.c_stride;
  }
}

// --- The table -----------------------------------------------------------------------------------------------------

void Scores(ScoresTile t) {
  ConfigureTiles();
  const FlushSubnormals flush;
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR {
    t.masked ? ScoresOfVectors<vectors, true>(t) : ScoresOfVectors<vectors, false>(t);
  });
}

void Gradients(GradientTile t) {
  ConfigureTiles();
  const FlushSubnormals flush;
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR {
    t.masked ? GradientsOfVectors<vectors, true>(t) : GradientsOfVectors<vectors, false>(t);
  });
}

template <int kAStride, int kBStride>
void Multiply(Product t) {
  ConfigureTiles();
  WithVectors(t.vectors, [&](auto vectors) HWY_ATTR { ProductOfVectors<kAStride, kBStride, vectors>(t); });
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

void Exp2InPlace(float* values, std::int64_t count) {
  const FlushSubnormals flush;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    hn::StoreU(Exp2ByTable(hn::LoadU(D(), values + i)), D(), values + i);
  }
}

constexpr int kQueryRowWords = 112;  // 7 tiles of rows; rows of so many words do not share a cache set

constexpr Microkernels kAmxMicrokernels = {.isa = "avx512-amx",
                                           .bf16_pairs = true,
                                           .matrix_unit = true,
                                           .lanes = kLanes,
                                           .panel = kPanel,
                                           .tile_rows = kRows,
                                           .depth_unit = kUnit,
                                           .query_rows = 256,
                                           .query_row_words = kQueryRowWords,
                                           .scores = Scores,
                                           .gradients = Gradients,
                                           .product = Multiply<kBlockStride, kPanel>,
                                           .product_transposed = Multiply<kQueryRowWords, kBlockStride>,
                                           .put_row = nullptr,
                                           .multiply_add = MultiplyAddPeak,
                                           .exp2 = Exp2InPlace};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

namespace cpbench {
namespace {

/// Whether the kernel lets this process use tile registers: their state is large, so it wants to be asked.
bool may_use_tiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

const Microkernels* avx512_amx_microkernels() {
  static const bool kUsable = avx512_bf16_microkernels() != nullptr && __builtin_cpu_supports("amx-tile") &&
                              __builtin_cpu_supports("amx-bf16") && may_use_tiles();
  if (!kUsable) return nullptr;
  static const Microkernels kPairs = with_rows_of_avx512(N_AVX3::kAmxMicrokernels);
  return &kPairs;
}

}  // namespace cpbench
