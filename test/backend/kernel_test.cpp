// Every registered kernel against the definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "backend/cpu/isa.hpp"
#include "backend/kernel.hpp"
#include "backend/support/edge_cases.hpp"

namespace cpbench::test {
namespace {

std::vector<AttentionCase> cases() {
  std::vector<AttentionCase> list = edge_cases();
  const auto add = [&](AttentionCase c) { list.push_back(std::move(c)); };

  add({.name = "full", .q_rows = 200, .k_rows = 300, .tiles = {full_tile(0, 200, 0, 300)}});
  add({.name = "causal", .q_rows = 333, .k_rows = 333, .tiles = {causal_tile(0, 333)}});
  add({.name = "long_keys", .q_rows = 20, .k_rows = 1500, .tiles = {full_tile(0, 20, 0, 1500)}});
  add({.name = "window", .q_rows = 400, .k_rows = 400, .tiles = {{0, 400, 0, 400, -37, 11}}});
  add({.name = "narrow_window", .q_rows = 260, .k_rows = 260, .tiles = {{0, 260, 0, 260, -1, 0}}});
  add({.name = "documents",
       .q_rows = 270,
       .k_rows = 270,
       .tiles = {causal_tile(0, 100), causal_tile(100, 3), causal_tile(103, 1), causal_tile(104, 166)}});
  add({.name = "three_calls",
       .q_rows = 100,
       .k_rows = 290,
       .tiles = {full_tile(0, 100, 0, 100), causal_tile(0, 100), full_tile(30, 70, 200, 90)},
       .calls = 3});
  list.back().tiles[1] = {0, 100, 100, 100, -99, 0};
  add({.name = "calls_that_reach_few_rows",  // and no row of whole blocks of queries
       .q_rows = 1100,
       .k_rows = 130,
       .tiles = {full_tile(0, 40, 0, 40), full_tile(1040, 60, 40, 40), full_tile(0, 1100, 80, 50)},
       .calls = 3});
  add({.name = "sink", .q_rows = 140, .k_rows = 140, .sink = true, .tiles = {causal_tile(0, 140)}});
  add({.name = "sink_two_calls",
       .q_rows = 90,
       .k_rows = 180,
       .sink = true,
       .tiles = {full_tile(0, 90, 0, 90), full_tile(20, 70, 90, 90)},
       .calls = 2});
  add({.name = "large_logits", .q_rows = 128, .k_rows = 700, .magnitude = 4, .tiles = {full_tile(0, 128, 0, 700)}});
  add({.name = "huge_logits",
       .q_rows = 70,
       .k_rows = 900,
       .magnitude = 30,
       .tiles = {full_tile(0, 70, 0, 900)},
       .calls = 1});
  add({.name = "grouped_heads",
       .batch = 2,
       .q_rows = 70,
       .k_rows = 80,
       .heads = 6,
       .kv_heads = 2,
       .map = {0, 6, 0, 0},
       .group = 3,
       .tiles = {full_tile(0, 70, 0, 80)}});
  add({.name = "kv_heads_that_no_query_reads",  // before the map's and after them
       .q_rows = 70,
       .k_rows = 80,
       .heads = 2,
       .kv_heads = 4,
       .map = {0, 2, 1, 0},
       .group = 1,
       .tiles = {full_tile(0, 70, 0, 80)}});
  add({.name = "dim_128", .q_rows = 200, .k_rows = 200, .dim = 128, .dim_v = 128, .tiles = {causal_tile(0, 200)}});
  add({.name = "sbhd",
       .batch = 3,
       .q_rows = 40,
       .k_rows = 50,
       .heads = 2,
       .kv_heads = 2,
       .map = {0, 2, 0, 0},
       .layout = Layout::kSbhd,
       .tiles = {full_tile(0, 40, 0, 50)}});
  add({.name = "bhsd",
       .batch = 3,
       .q_rows = 40,
       .k_rows = 50,
       .heads = 4,
       .kv_heads = 2,
       .map = {0, 4, 0, 0},
       .group = 2,
       .layout = Layout::kBhsd,
       .tiles = {full_tile(0, 40, 0, 50)}});
  add({.name = "two_threads",
       .batch = 2,
       .q_rows = 300,
       .k_rows = 300,
       .heads = 3,
       .kv_heads = 1,
       .map = {0, 3, 0, 0},
       .group = 3,
       .tiles = {causal_tile(0, 300)},
       .threads = 2});
  add({.name = "one_head_three_threads", .q_rows = 700, .k_rows = 700, .tiles = {causal_tile(0, 700)}, .threads = 3});

  // Every storage type sees shapes that fill no block, and gradients summed in the storage type.
  const std::size_t fp32_cases = list.size();
  for (const DType dtype : {DType::kBf16, DType::kFp16}) {
    for (std::size_t i = 0; i < fp32_cases; ++i) {
      // Overflow of fp16 and scores that swamp 8 bits say nothing about a kernel.
      if (list[i].name == "huge_logits") continue;
      AttentionCase c = list[i];
      c.name += "_" + std::string(name_of(dtype));
      c.dtype = dtype;
      add(c);
    }
  }
  add({.name = "bf16_gradients",
       .q_rows = 100,
       .k_rows = 200,
       .dtype = DType::kBf16,
       .gradient_dtype = DType::kBf16,
       .tiles = {full_tile(0, 100, 0, 100), full_tile(0, 100, 100, 100)},
       .calls = 2});
  return list;
}

/// A kernel and the instruction set that it is to use: every one that this machine can execute.
struct Path {
  std::string kernel, isa;
  friend std::ostream& operator<<(std::ostream& stream, const Path& path) {
    return stream << path.kernel << " on " << path.isa;
  }
};
std::vector<Path> paths() {
  std::vector<Path> list{{"simple", isa_names().front()}};
  for (const std::string& name : isa_names()) list.push_back({"blocked", name});
  return list;
}
std::string name_of_path(const Path& path) {
  std::string name = path.kernel + "_" + path.isa;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// The instruction set is the process's: each test sets it and puts the best one back.
struct WithIsa : testing::Test {
  static void use(const Path& path) { set_isa(path.isa); }
  void TearDown() override { set_isa(isa_names().front()); }
};

class Kernel : public WithIsa, public testing::WithParamInterface<std::tuple<Path, AttentionCase>> {};

TEST_P(Kernel, AgreesWithTheDefinition) {
  const auto& [path, c] = GetParam();
  use(path);
  expect_close(c, run_case(c, path.kernel));
}

INSTANTIATE_TEST_SUITE_P(All, Kernel, testing::Combine(testing::ValuesIn(paths()), testing::ValuesIn(cases())),
                         [](const auto& param_info) {
                           return name_of_path(std::get<0>(param_info.param)) + "_" +
                                  std::get<1>(param_info.param).name;
                         });

class EveryKernel : public WithIsa, public testing::WithParamInterface<Path> {};
INSTANTIATE_TEST_SUITE_P(All, EveryKernel, testing::ValuesIn(paths()),
                         [](const auto& param_info) { return name_of_path(param_info.param); });

/// Random rectangles of keys, some with a gap before them, each with a random band: nothing that a schedule would make,
/// everything that it could.
TEST_P(EveryKernel, RandomBands) {
  use(GetParam());
  std::mt19937_64 random(7);
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  for (int round = 0; round < 30; ++round) {
    AttentionCase c{.name = "random" + std::to_string(round), .q_rows = pick(1, 220), .k_rows = 0};
    c.dim = static_cast<int>(8 * pick(1, 17));
    c.dim_v = static_cast<int>(8 * pick(1, 17));
    c.dtype = pick(0, 1) == 0 ? DType::kFp32 : DType::kBf16;
    c.calls = static_cast<int>(pick(1, 3));
    c.sink = pick(0, 3) == 0;
    for (std::int64_t tile = pick(1, 4); tile > 0; --tile) {
      c.k_rows += pick(0, 1) * pick(0, 70);
      const std::int64_t q_begin = pick(0, c.q_rows - 1), q_count = pick(1, c.q_rows - q_begin);
      const std::int64_t k_count = pick(1, 400);
      const std::int64_t lo = pick(-(q_count - 1), k_count - 1), hi = pick(lo, k_count - 1);
      c.tiles.push_back({q_begin, q_count, c.k_rows, k_count, lo, hi});
      c.k_rows += k_count;
    }
    SCOPED_TRACE(c.name);
    expect_close(c, run_case(c, GetParam().kernel));
  }
}

/// Whatever a row's score of its only key is, its probability is 1, in every storage type.
TEST_P(EveryKernel, AttendingOneKeyReturnsItsValue) {
  use(GetParam());
  AttentionCase c{.name = "one_key", .q_rows = 100, .k_rows = 1, .tiles = {full_tile(0, 100, 0, 1)}};
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    for (const double magnitude : {1, 30}) {  // with 30, 2^score overflows in some rows, and is 0 in others
      c.dtype = dtype;
      c.magnitude = magnitude;
      const AttentionOutcome outcome = run_case(c, GetParam().kernel);
      EXPECT_EQ(max_difference(outcome.measured.out, outcome.truth.out), 0) << name_of(dtype);
    }
  }
}

/// Whatever a score is above those before it, also just below where P would overflow: in 2,000 rows it is anything.
TEST_P(EveryKernel, ALaterKeyMayOutweighAnEarlierOne) {
  use(GetParam());
  AttentionCase c{.name = "two_keys",
                  .q_rows = 2000,
                  .k_rows = 400,
                  .magnitude = 8,
                  .tiles = {full_tile(0, 2000, 0, 1), full_tile(0, 2000, 399, 1)}};
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    c.dtype = dtype;
    const AttentionOutcome outcome = run_case(c, GetParam().kernel);
    EXPECT_LE(max_difference(outcome.measured.out, outcome.truth.out), 0.02) << name_of(dtype);
  }
}

/// Kernels may flush subnormal numbers while they compute, but what follows them is others' arithmetic.
TEST_P(EveryKernel, LeavesSubnormalNumbersToOthers) {
  use(GetParam());
  const AttentionCase c{.name = "subnormal", .dtype = DType::kBf16, .tiles = {causal_tile(0, 64)}};
  run_case(c, GetParam().kernel);
  const volatile float least_normal = std::numeric_limits<float>::min();
  EXPECT_GT(least_normal / 2, 0);
}

TEST_P(EveryKernel, IsDeterministic) {
  use(GetParam());
  AttentionCase c{.name = "deterministic", .q_rows = 500, .k_rows = 500, .tiles = {causal_tile(0, 500)}, .threads = 2};
  for (const DType dtype : {DType::kFp32, DType::kBf16}) {
    c.dtype = dtype;
    const AttentionOutcome a = run_case(c, GetParam().kernel), b = run_case(c, GetParam().kernel);
    EXPECT_EQ(max_difference(a.measured.out, b.measured.out), 0);
    EXPECT_EQ(max_difference(a.measured.dq, b.measured.dq), 0);
    EXPECT_EQ(max_difference(a.measured.dk, b.measured.dk), 0);
    EXPECT_EQ(max_difference(a.measured.dv, b.measured.dv), 0);
  }
}

}  // namespace
}  // namespace cpbench::test
