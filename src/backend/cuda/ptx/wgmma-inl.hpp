// The bodies of wgmma: inline assembly wants every accumulator named, in the text and as an operand.
#pragma once

#include "backend/cuda/ptx/warpgroup.hpp"

// Names of operands 10t to 10t + 9, and elements d[8i] to d[8i + 7] as operands.
#define CPBENCH_TEN(t) "%" #t "0,%" #t "1,%" #t "2,%" #t "3,%" #t "4,%" #t "5,%" #t "6,%" #t "7,%" #t "8,%" #t "9,"
#define CPBENCH_TO_9 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,"
#define CPBENCH_EIGHT(i)                                                                                              \
  "+f"(d[8 * i]), "+f"(d[8 * i + 1]), "+f"(d[8 * i + 2]), "+f"(d[8 * i + 3]), "+f"(d[8 * i + 4]), "+f"(d[8 * i + 5]), \
      "+f"(d[8 * i + 6]), "+f"(d[8 * i + 7])

#define CPBENCH_NAMES_64 CPBENCH_TO_9 CPBENCH_TEN(1) CPBENCH_TEN(2) "%30,%31"
#define CPBENCH_NAMES_80 CPBENCH_TO_9 CPBENCH_TEN(1) CPBENCH_TEN(2) "%30,%31,%32,%33,%34,%35,%36,%37,%38,%39"
#define CPBENCH_NAMES_96 CPBENCH_TO_9 CPBENCH_TEN(1) CPBENCH_TEN(2) CPBENCH_TEN(3) "%40,%41,%42,%43,%44,%45,%46,%47"
#define CPBENCH_NAMES_128 \
  CPBENCH_TO_9 CPBENCH_TEN(1) CPBENCH_TEN(2) CPBENCH_TEN(3) CPBENCH_TEN(4) CPBENCH_TEN(5) "%60,%61,%62,%63"
#define CPBENCH_NAMES_176                                                                                \
  CPBENCH_TO_9 CPBENCH_TEN(1) CPBENCH_TEN(2) CPBENCH_TEN(3) CPBENCH_TEN(4) CPBENCH_TEN(5) CPBENCH_TEN(6) \
      CPBENCH_TEN(7) "%80,%81,%82,%83,%84,%85,%86,%87"

#define CPBENCH_ELEMENTS_64 CPBENCH_EIGHT(0), CPBENCH_EIGHT(1), CPBENCH_EIGHT(2), CPBENCH_EIGHT(3)
#define CPBENCH_ELEMENTS_80 CPBENCH_ELEMENTS_64, CPBENCH_EIGHT(4)
#define CPBENCH_ELEMENTS_96 CPBENCH_ELEMENTS_80, CPBENCH_EIGHT(5)
#define CPBENCH_ELEMENTS_128 CPBENCH_ELEMENTS_96, CPBENCH_EIGHT(6), CPBENCH_EIGHT(7)
#define CPBENCH_ELEMENTS_176 CPBENCH_ELEMENTS_128, CPBENCH_EIGHT(8), CPBENCH_EIGHT(9), CPBENCH_EIGHT(10)

// Operands after the n/2 accumulators: a (a descriptor, or four registers), b, accumulate, majors. p0 ... are their
// numbers.
#define CPBENCH_WGMMA(n, type, name, p0, p1, p2, p3, p4, p5, p6)                                                     \
  template <>                                                                                                        \
  struct Wgmma<type, n> {                                                                                            \
    template <int kMajorA, int kMajorB>                                                                              \
    __device__ static void run(float (&d)[n / 2], std::uint64_t a, std::uint64_t b, int accumulate) {                \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #p2 ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n             \
                   "k16.f32." name "." name " {" CPBENCH_NAMES_##n "}, %" #p0 ", %" #p1 ", p, 1, 1, %" #p3 ", %" #p4 \
                                                                   ";\n}"                                            \
                   : CPBENCH_ELEMENTS_##n                                                                            \
                   : "l"(a), "l"(b), "r"(accumulate), "n"(kMajorA), "n"(kMajorB));                                   \
    }                                                                                                                \
    template <int kMajorB>                                                                                           \
    __device__ static void run(float (&d)[n / 2], const std::uint32_t (&a)[4], std::uint64_t b, int accumulate) {    \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #p5 ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n             \
                   "k16.f32." name "." name " {" CPBENCH_NAMES_##n "}, {%" #p0 ",%" #p1 ",%" #p2 ",%" #p3 "}, %" #p4 \
                                                                   ", p, 1, 1, %" #p6 ";\n}"                         \
                   : CPBENCH_ELEMENTS_##n                                                                            \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate), "n"(kMajorB));             \
    }                                                                                                                \
  };
#define CPBENCH_WGMMA_TYPES(n, ...)           \
  CPBENCH_WGMMA(n, bf16, "bf16", __VA_ARGS__) \
  CPBENCH_WGMMA(n, fp16, "f16", __VA_ARGS__)

namespace cpbench::ptx {
namespace detail {

template <typename T, int kN>
struct Wgmma;
CPBENCH_WGMMA_TYPES(64, 32, 33, 34, 35, 36, 37, 38)
CPBENCH_WGMMA_TYPES(80, 40, 41, 42, 43, 44, 45, 46)
CPBENCH_WGMMA_TYPES(96, 48, 49, 50, 51, 52, 53, 54)
CPBENCH_WGMMA_TYPES(128, 64, 65, 66, 67, 68, 69, 70)
CPBENCH_WGMMA_TYPES(176, 88, 89, 90, 91, 92, 93, 94)

}  // namespace detail

template <typename T, int kN, Major kMajorA, Major kMajorB>
__device__ inline void wgmma(float (&d)[kN / 2], std::uint64_t a, std::uint64_t b, bool accumulate) {
  detail::Wgmma<T, kN>::template run<static_cast<int>(kMajorA), static_cast<int>(kMajorB)>(d, a, b, accumulate);
}
template <typename T, int kN, Major kMajorB>
__device__ inline void wgmma(float (&d)[kN / 2], const std::uint32_t (&a)[4], std::uint64_t b, bool accumulate) {
  detail::Wgmma<T, kN>::template run<static_cast<int>(kMajorB)>(d, a, b, accumulate);
}

}  // namespace cpbench::ptx

#undef CPBENCH_WGMMA_TYPES
#undef CPBENCH_WGMMA
#undef CPBENCH_ELEMENTS_64
#undef CPBENCH_ELEMENTS_80
#undef CPBENCH_ELEMENTS_96
#undef CPBENCH_ELEMENTS_128
#undef CPBENCH_ELEMENTS_176
#undef CPBENCH_NAMES_64
#undef CPBENCH_NAMES_80
#undef CPBENCH_NAMES_96
#undef CPBENCH_NAMES_128
#undef CPBENCH_NAMES_176
#undef CPBENCH_EIGHT
#undef CPBENCH_TO_9
#undef CPBENCH_TEN
