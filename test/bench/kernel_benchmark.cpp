// How fast an attention kernel is on one thread: GFLOP/s of the exact FLOPs, and their fraction of the multiply-add
// peak that is measured beside every case. The kernel is called as the backend calls it, on a program's tile.
//   kernel_benchmark [KERNEL] [--benchmark_filter=bf16.*causal ...]; $CPBENCH_ISA chooses the instruction set
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu/isa.hpp"
#include "backend/cpu/peaks.hpp"
#include "backend/support/dense.hpp"
#include "backend/support/host_program.hpp"
#include "problem/counts.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

struct BenchmarkCase {
  DType dtype;
  int head_dim;
  bool causal;
  Pass pass;
  std::int64_t tokens;

  std::string name() const {
    return fmt::format("{}/d{}/{}/{}/{}", name_of(dtype), head_dim, causal ? "causal" : "full",
                       pass == Pass::kForward ? "forward" : "backward", tokens);
  }
  Tile tile() const { return {0, tokens, 0, tokens, -(tokens - 1), causal ? 0 : tokens - 1}; }
  double flops() const {
    const int128 pairs = pairs_of(tile());
    return static_cast<double>(pass == Pass::kForward ? forward_flops(pairs, head_dim, head_dim)
                                                      : backward_flops(pairs, head_dim, head_dim));
  }
};

/// One head of random numbers, and both passes over it.
class Attention {
 public:
  Attention(const BenchmarkCase& c, const std::string& kernel) : host_(problem_of(c), kernel, 1) {
    const auto add = [&](Role role, DType dtype, int dim, int dim_v) {
      return host_.add({role, dtype, 1, dim, dim_v, c.tokens});
    };
    const int d = c.head_dim;
    const BufferId q = add(Role::kQ, c.dtype, d, 0), kv = add(Role::kKv, c.dtype, d, d);
    const BufferId out = add(Role::kOut, c.dtype, d, 0), dout = add(Role::kDout, c.dtype, d, 0);
    const BufferId state = add(Role::kState, DType::kFp32, d + 2, 0), lse = add(Role::kLse, DType::kFp32, 1, 0);
    const BufferId delta = add(Role::kDelta, DType::kFp32, 1, 0);
    const BufferId dq = add(Role::kDq, DType::kFp32, d, 0), dkv = add(Role::kDkv, DType::kFp32, d, d);
    std::mt19937_64 random(1);
    for (const TensorView& tensor :
         {host_.view(q).first, host_.view(kv).first, host_.view(kv).second, host_.view(dout).first}) {
      test::fill_normal(tensor, 1, random);
    }
    const Slice tiles = host_.add_tiles(std::vector{c.tile()});
    forward_ = {q, kv, state, out, lse, kNoBuffer, {0, 1, 0, 0}, true, true, tiles};
    backward_ = {q, kv, dout, lse, delta, dq, dkv, {0, 1, 0, 0}, true, true, tiles};
    host_.run(forward_);  // for lse
    host_.run(Delta{out, dout, delta});
  }

  void run(Pass pass) {
    if (pass == Pass::kForward) return host_.run(forward_);
    host_.run(backward_);
  }

 private:
  static Problem problem_of(const BenchmarkCase& c) {
    Problem problem;
    problem.head_dim = problem.head_dim_v = c.head_dim;
    problem.dtype = c.dtype;
    problem.scale = 1 / std::sqrt(static_cast<double>(c.head_dim));
    return problem;
  }

  test::HostProgram host_;
  Attend forward_{};
  AttendBackward backward_{};
};

/// Of this thread alone: what else runs on the machine does not count.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void measure(benchmark::State& state, const BenchmarkCase& c, const std::string& kernel) {
  Attention attention(c, kernel);
  const double peak = fma_peak_flops(c.dtype, 1);
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const double start = thread_seconds();
    attention.run(c.pass);
    const double seconds = thread_seconds() - start;
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
  }
  // Of the best iteration: others on the machine only ever take caches and clock rate away.
  state.counters["GFLOP/s"] = c.flops() / best * 1e-9;
  state.counters["of_peak"] = c.flops() / best / peak;
}

void register_benchmarks(const std::string& kernel) {
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    for (const int head_dim : {64, 128}) {
      for (const bool causal : {false, true}) {
        for (const Pass pass : {Pass::kForward, Pass::kBackward}) {
          for (const std::int64_t tokens : {1024, 4096, 16384}) {
            const BenchmarkCase c{dtype, head_dim, causal, pass, tokens};
            benchmark::RegisterBenchmark((kernel + "/" + c.name()).c_str(),
                                         [c, kernel](benchmark::State& state) { measure(state, c, kernel); })
                ->UseManualTime()
                ->Unit(benchmark::kMillisecond);
          }
        }
      }
    }
  }
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc > 2) refuse("kernel_benchmark takes one kernel's name, not '{}' as well", argv[2]);
  const std::string kernel = argc == 2 ? argv[1] : kDefaultKernel;
  make_kernel(kernel);  // a wrong name is said before anything is measured
  benchmark::AddCustomContext("isa", std::string(isa()));
  register_benchmarks(kernel);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace cpbench

int main(int argc, char** argv) {
  try {
    return cpbench::run(argc, argv);
  } catch (const cpbench::Error& error) {
    fmt::print(stderr, "kernel_benchmark: {}\n", error.what());
    return static_cast<int>(error.code());
  }
}
