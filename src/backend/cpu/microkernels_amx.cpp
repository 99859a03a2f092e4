// The micro-kernels on AMX, the matrix unit of Xeons since the fourth generation: bf16 products by tdpbf16ps, whose
// tiles are 16 rows of A by 16 words by 16 columns of B; all else by AVX-512.
//
// A block of 32 x 32 of a product has four accumulators, and loads four operands for four multiplications: as few as
// eight tile registers allow. In the forward pass the matrix unit works beside the vector units, which make P of one
// block while the scores of the next and P V of one before are multiplied.
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

constexpr int kUnit = 16;            // rows, words and columns of a tile register
constexpr int kRows = 2 * kUnit;     // of a row tile
constexpr int kColumns = 2 * kUnit;  // that are multiplied at a time: half a panel
static_assert(kMatrixTile == kRows && kMatrixTile == kColumns && kMatrixWords == kUnit);

// By assembly, which needs no compiler flag for functions that are inlined elsewhere. The compiler gives tile registers
// to nobody else, and is told which memory is read or written: floats from a pointer on, or, where Clang knows no array
// of unknown length, all. Registers 0 to 3 accumulate [row half][column half]; 4 and 5 hold A, 6 and 7 hold B.
#ifdef __clang__
#define CPBENCH_TILE_LOAD(tile, from, stride) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)) : "memory")
#define CPBENCH_TILE_STREAM(tile, from, stride) \
  asm volatile("tileloaddt1 (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)) : "memory")
#define CPBENCH_TILE_STORE(tile, to, stride) \
  asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" : : "r"(to), "r"(Bytes(stride)) : "memory")
#else
#define CPBENCH_TILE_LOAD(tile, from, stride) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)), "m"(*(const float(*)[])(from)))
#define CPBENCH_TILE_STREAM(tile, from, stride) \
  asm volatile("tileloaddt1 (%0,%1,1), %%tmm" #tile : : "r"(from), "r"(Bytes(stride)), "m"(*(const float(*)[])(from)))
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

HWY_INLINE void ZeroBlock() {
  CPBENCH_TILE_ZERO(0);
  CPBENCH_TILE_ZERO(1);
  CPBENCH_TILE_ZERO(2);
  CPBENCH_TILE_ZERO(3);
}

HWY_INLINE void LoadBlock(const float* c, std::int64_t stride) {
  CPBENCH_TILE_LOAD(0, c, stride);
  CPBENCH_TILE_LOAD(1, c + kUnit, stride);
  CPBENCH_TILE_LOAD(2, c + kUnit * stride, stride);
  CPBENCH_TILE_LOAD(3, c + kUnit * stride + kUnit, stride);
}

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
  product.add ? LoadBlock(product.c, kMatrixTile) : ZeroBlock();
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

constexpr MatrixUnit kMatrixUnit = {
    .multiply = MultiplyAll, .probabilities = ProbabilitiesBeside, .highest = HighestScores, .scale = ScaleQueries};

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
