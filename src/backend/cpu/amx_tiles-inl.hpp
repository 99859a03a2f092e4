// Tile registers of AMX, and what vectors beside them have to know. Included by microkernels_amx.cpp.
#if defined(CPBENCH_AMX_TILES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_AMX_TILES_INL_HPP
#undef CPBENCH_AMX_TILES_INL_HPP
#else
#define CPBENCH_AMX_TILES_INL_HPP
#endif

#include <cstdint>

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

HWY_INLINE void ZeroBlock() {
  CPBENCH_TILE_ZERO(0);
  CPBENCH_TILE_ZERO(1);
  CPBENCH_TILE_ZERO(2);
  CPBENCH_TILE_ZERO(3);
}

/// Accumulators of C [kRows][columns], of one vector of columns or two.
template <bool kTwoVectors>
HWY_INLINE void LoadBlock(const float* c, std::int64_t stride) {
  CPBENCH_TILE_LOAD(0, c, stride);
  CPBENCH_TILE_LOAD(2, c + kUnit * stride, stride);
  if constexpr (kTwoVectors) {
    CPBENCH_TILE_LOAD(1, c + kUnit, stride);
    CPBENCH_TILE_LOAD(3, c + kUnit * stride + kUnit, stride);
  }
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

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
