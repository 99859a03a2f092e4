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

/// An attention, and how it is cut into calls of the kernel.
struct BenchmarkCase {
  std::string shape;  ///< what its name says of it
  DType dtype;
  int head_dim;
  Pass pass;
  std::int64_t tokens;
  Mask mask = Mask::full();
  std::int64_t document = 0;  ///< tokens of a document; 0: all of them
  int heads = 1, kv_heads = 1;
  int hops = 1;  ///< equal parts that K and V arrive in
  double magnitude = 1;

  std::string name() const {
    return fmt::format("{}/d{}/{}/{}/{}", name_of(dtype), head_dim, shape,
                       pass == Pass::kForward ? "forward" : "backward", tokens);
  }
  Problem problem() const {
    Problem problem;
    problem.seq_len = tokens;
    problem.heads = heads;
    problem.kv_heads = kv_heads;
    problem.head_dim = problem.head_dim_v = head_dim;
    problem.dtype = dtype;
    problem.mask = mask;
    problem.documents = Documents::whole(tokens);
    if (document > 0) {
      std::vector<std::int64_t> lengths(static_cast<std::size_t>(tokens / document), document);
      if (tokens % document > 0) lengths.push_back(tokens % document);
      problem.documents = Documents::from_lengths(lengths, tokens);
    }
    problem.scale = 1 / std::sqrt(static_cast<double>(head_dim));
    return problem;
  }
};

/// Random numbers, and both passes over them.
class Attention {
 public:
  Attention(const BenchmarkCase& c, const std::string& kernel)
      : problem_(c.problem()), host_(problem_, kernel, 1), hops_(c.hops) {
    const auto add = [&](Role role, DType dtype, int heads, int dim, int dim_v) {
      return host_.add({role, dtype, heads, dim, dim_v, c.tokens});
    };
    const int d = c.head_dim, heads = c.heads, kv_heads = c.kv_heads;
    const BufferId q = add(Role::kQ, c.dtype, heads, d, 0), kv = add(Role::kKv, c.dtype, kv_heads, d, d);
    const BufferId out = add(Role::kOut, c.dtype, heads, d, 0), dout = add(Role::kDout, c.dtype, heads, d, 0);
    const BufferId state = add(Role::kState, DType::kFp32, heads, d + 2, 0);
    const BufferId lse = add(Role::kLse, DType::kFp32, heads, 1, 0);
    const BufferId delta = add(Role::kDelta, DType::kFp32, heads, 1, 0);
    const BufferId dq = add(Role::kDq, DType::kFp32, heads, d, 0);
    const BufferId dkv = add(Role::kDkv, DType::kFp32, kv_heads, d, d);
    std::mt19937_64 random(1);
    test::fill_normal(host_.view(q).first, c.magnitude, random);
    test::fill_normal(host_.view(kv).first, c.magnitude, random);
    test::fill_normal(host_.view(kv).second, 1, random);
    test::fill_normal(host_.view(dout).first, 1, random);

    const HeadMap map{0, heads, 0, 0};
    for (int hop = 0; hop < c.hops; ++hop) {
      const std::int64_t begin = c.tokens * hop / c.hops, end = c.tokens * (hop + 1) / c.hops;
      std::vector<Tile> tiles =
          tiles_of({{0, c.tokens, 1}}, {{begin, end - begin, 1}}, problem_.mask, problem_.documents);
      for (Tile& tile : tiles) tile.k_begin += begin;
      const Slice slice = host_.add_tiles(tiles);
      const bool first = hop == 0, last = hop + 1 == c.hops;
      forward_.push_back({q, kv, state, out, lse, kNoBuffer, map, first, last, slice});
      backward_.push_back({q, kv, dout, lse, delta, dq, dkv, map, first, first, slice});
    }
    run(Pass::kForward);  // for lse
    host_.run(Delta{out, dout, delta});
  }

  void run(Pass pass) {
    for (int hop = 0; hop < hops_; ++hop) {
      const auto index = static_cast<std::size_t>(hop);
      pass == Pass::kForward ? host_.run(forward_[index]) : host_.run(backward_[index]);
    }
  }
  double flops(Pass pass) const { return static_cast<double>(cpbench::flops(problem_, pass)); }

 private:
  Problem problem_;
  test::HostProgram host_;
  int hops_;
  std::vector<Attend> forward_;
  std::vector<AttendBackward> backward_;
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
  state.counters["GFLOP/s"] = attention.flops(c.pass) / best * 1e-9;
  state.counters["of_peak"] = attention.flops(c.pass) / best / peak;
}

/// The plain masks at three lengths, and at 4K what a kernel may find harder.
std::vector<BenchmarkCase> cases_of(DType dtype, int head_dim, Pass pass) {
  std::vector<BenchmarkCase> cases;
  for (const std::int64_t tokens : {1024, 4096, 16384}) {
    cases.push_back({"full", dtype, head_dim, pass, tokens, Mask::full()});
    cases.push_back({"causal", dtype, head_dim, pass, tokens, Mask::causal()});
  }
  const BenchmarkCase plain{"", dtype, head_dim, pass, 4096};
  const auto add = [&](const char* shape, auto change) {
    BenchmarkCase c = plain;
    c.shape = shape;
    change(c);
    cases.push_back(c);
  };
  add("full-odd", [](BenchmarkCase& c) { c.tokens = 4093; });
  add("window-1024", [](BenchmarkCase& c) { c.mask = Mask::window(1023, 0); });
  add("documents-1000", [](BenchmarkCase& c) { c.document = 1000; });
  add("8-hops", [](BenchmarkCase& c) { c.hops = 8; });
  add("large-logits", [](BenchmarkCase& c) { c.magnitude = 4; });
  add("mha-8", [](BenchmarkCase& c) { c.heads = c.kv_heads = 8; });
  add("gqa-8", [](BenchmarkCase& c) { c.heads = 8; });
  return cases;
}

void register_benchmarks(const std::string& kernel) {
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    for (const int head_dim : {64, 128}) {
      for (const Pass pass : {Pass::kForward, Pass::kBackward}) {
        for (const BenchmarkCase& c : cases_of(dtype, head_dim, pass)) {
          benchmark::RegisterBenchmark((kernel + "/" + c.name()).c_str(),
                                       [c, kernel](benchmark::State& state) { measure(state, c, kernel); })
              ->UseManualTime()
              ->Unit(benchmark::kMillisecond);
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
