// Whole programs on the CUDA backend, on the virtual GPU: all ranks in this process, their messages moved by the host.
#include "backend/cuda/cuda_backend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "backend/cuda/peak.hpp"
#include "run/executor.hpp"
#include "support/clock.hpp"
#include "support/error.hpp"
#include "system/mismatches.hpp"
#include "system/test_case.hpp"
#include "transport/loopback.hpp"
#include "vgpu/forget.hpp"
#include "vgpu/profiler.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::test {
namespace {

constexpr int kPatience = 1'000'000;  // the device goes on while somebody looks, not always at once

CaseJob on_gpu(const TestCase& t) {
  JobOptions options = t.options();
  options.patience = kPatience;
  return {t.c, t.inputs(), [] { return std::make_unique<CudaBackend>(CudaOptions{}); }, options};
}

/// A small problem with grouped heads, a window and sinks.
TestCase small_case(std::string_view algorithm, const Grid& grid, DType dtype) {
  TestCase t;
  t.c.algorithm = find_algorithm(algorithm);
  t.c.grid = grid;
  t.c.shard = algorithm == "ulysses" ? ShardKind::kContiguous : ShardKind::kZigzag;
  Problem& p = t.c.problem;
  p = {.seq_len = 72, .heads = 4, .kv_heads = 2, .head_dim = 16, .head_dim_v = 16, .dtype = dtype};
  p.scale = 0.25;
  p.mask = Mask::window(30, 0);
  p.documents = Documents::whole(p.seq_len);
  p.sink = true;
  t.seed = 3;
  t.max_delay = 4;
  return t;
}

void expect_definition(const TestCase& t) {
  const Expectation expectation = expect(t.c, t.inputs());
  CaseJob job = on_gpu(t);
  for (int run = 0; run < 2; ++run) {
    job.run(Pass::kForwardBackward);
    for (const std::string& line : mismatches(t.c, expectation, job.results())) ADD_FAILURE() << t << ": " << line;
  }
}

TEST(CudaBackend, RunsEveryAlgorithm) {
  expect_definition(small_case("ring", {.inner = 3}, DType::kBf16));
  expect_definition(small_case("ulysses", {.ulysses = 2}, DType::kFp16));
  expect_definition(small_case("double-ring", {.outer = 2, .inner = 2}, DType::kBf16));
  expect_definition(small_case("hybrid", {.ulysses = 2, .inner = 2}, DType::kFp32));
  expect_definition(small_case("all-gather", {.inner = 2}, DType::kBf16));
}

TEST(CudaBackend, InEveryOrder) {
  const TestCase t = small_case("ring", {.inner = 2}, DType::kBf16);
  vgpu::in_every_order([&] { expect_definition(t); }, 2);
}

TEST(CudaBackend, MergesPartialResults) {
  TestCase t = small_case("ring", {.inner = 3}, DType::kBf16);
  t.c.accumulate = Accumulate::kMerge;
  expect_definition(t);
}

TEST(CudaBackend, AWorkspaceServesTheLargestOperation) {
  // The last rank has one key less than the others, whose keys it attends after its own.
  TestCase t = small_case("ring", {.inner = 3}, DType::kBf16);
  t.c.accumulate = Accumulate::kMerge;
  t.c.shard = ShardKind::kContiguous;
  t.c.problem.seq_len = 71;
  t.c.problem.mask = Mask::full();
  t.c.problem.documents = Documents::whole(71);
  expect_definition(t);
}

TEST(CudaBackend, QueuesEachOperationInARangeOfItsName) {
  const TestCase t = small_case("ring", {.inner = 1}, DType::kBf16);
  CaseJob job = on_gpu(t);
  vgpu::take_ranges();
  job.run(Pass::kForward);
  EXPECT_EQ(vgpu::take_ranges(), std::vector<std::string>{"attend 0"});
  job.run(Pass::kBackward);
  const std::vector<std::string> backward = vgpu::take_ranges();
  EXPECT_NE(std::ranges::find(backward, "attend-backward 0"), backward.end());
  EXPECT_EQ(vgpu::open_ranges(), 0);
}

/// A ring of one rank, to be executed without a CaseJob.
struct OneRank {
  Schedule schedule = build_schedule(small_case("ring", {.inner = 1}, DType::kBf16).c);
  CudaBackend backend{{}};
  BufferSet buffers{schedule.of.problem, schedule.programs[0], backend};
  LoopbackHub hub{1};
  Executor executor{buffers, schedule.programs[0], backend, hub.transport(0)};
};

TEST(CudaBackend, ARunQueuesNothingThatWasRecordedBefore) {
  OneRank rank;
  Executor& executor = rank.executor;
  executor.make_ready(Pass::kForward);
  EXPECT_EQ(vgpu::take_ranges(), std::vector<std::string>{"attend 0"});
  executor.run(Pass::kForward);
  EXPECT_EQ(vgpu::take_ranges(), std::vector<std::string>{});
  EXPECT_EQ(executor.spans().size(), 1);
}

TEST(CudaBackend, KernelsAreLoadedBeforeAnythingIsCaptured) {
  vgpu::expect_planted_fault({{vgpu::FaultKind::kMisuse, "the loading of a kernel"}}, [](bool planted) {
    vgpu::forget_loaded_kernels();
    OneRank rank;
    if (planted) vgpu::forget_loaded_kernels();
    rank.executor.make_ready(Pass::kBackward);
  });
}

TEST(CudaBackend, SpansLieInTheRunByTheHostsClock) {
  OneRank rank;
  Executor& executor = rank.executor;
  constexpr std::int64_t kMillisecond = 1'000'000;
  for (const Pass pass : {Pass::kForward, Pass::kBackward}) {
    executor.make_ready(pass);
    const std::int64_t before = now_ns();
    executor.run(pass);
    const std::int64_t after = now_ns();
    // The clocks are aligned when spans are asked for. Whatever the wait does to the times shows.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::vector<Span> spans = executor.spans();
    ASSERT_FALSE(spans.empty());
    for (const Span& span : spans) {
      EXPECT_GT(span.begin_ns, before - 20 * kMillisecond);
      EXPECT_LE(span.begin_ns, span.end_ns);
      EXPECT_LT(span.end_ns, after + 20 * kMillisecond);
    }
  }
}

TEST(CudaBackend, KnowsWhatItHoldsOfTheDevice) {
  const std::int64_t before = CudaMemory::bytes_in_use();
  {
    CudaBackend backend(CudaOptions{});
    const auto memory = backend.allocate(1000);
    EXPECT_EQ(backend.bytes_in_use(), before + 1000);
  }
  EXPECT_EQ(CudaMemory::bytes_in_use(), before);
}

TEST(CudaBackend, WhatIsFilledIsThereForEveryStream) {
  constexpr std::size_t kBytes = 1000;
  vgpu::in_every_order([&] {
    CudaBackend backend(CudaOptions{});
    const auto filled = backend.allocate(kBytes), copied = backend.allocate(kBytes);
    backend.fill({filled->data(), kBytes}, std::byte{0x5a});
    const cudaStream_t stream = backend.cuda_queues().stream(Stream::kInner);
    check(cudaMemcpyAsync(copied->data(), filled->data(), kBytes, cudaMemcpyDefault, stream), "cudaMemcpyAsync");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    std::vector<std::byte> bytes(kBytes);
    backend.read(bytes, copied->data());
    EXPECT_EQ(std::ranges::count(bytes, std::byte{0x5a}), kBytes);
  });
}

TEST(CudaPeak, ByHand) {
  // The data sheets' dense figures, at the clocks that they are for.
  EXPECT_NEAR(*nominal_flops(80, DType::kBf16, 108, 1.41e9), 312e12, 1e12);
  EXPECT_NEAR(*nominal_flops(80, DType::kFp32, 108, 1.41e9), 19.5e12, 0.1e12);
  EXPECT_NEAR(*nominal_flops(90, DType::kFp16, 132, 1.83e9), 989e12, 1e12);
  EXPECT_NEAR(*nominal_flops(89, DType::kBf16, 142, 2.52e9), 366e12, 1e12);
  EXPECT_FALSE(nominal_flops(75, DType::kBf16, 40, 1.6e9));
}

TEST(CudaBackend, RunsAPartAsAGraph) {
  // One rank sends nothing: its parts are all the device's.
  const TestCase t = small_case("ring", {.inner = 1}, DType::kFp32);
  const Expectation expectation = expect(t.c, t.inputs());
  vgpu::in_every_order(
      [&] {
        CaseJob job = on_gpu(t);
        job.run(Pass::kForward);
        for (int run = 0; run < 3; ++run) job.run(Pass::kBackward);
        EXPECT_EQ(mismatches(t.c, expectation, job.results()), std::vector<std::string>{});
      },
      2);
}

TEST(CudaBackend, MoreMemoryThanThereIsIsAPlacementError) {
  CudaBackend backend({});
  try {
    backend.allocate(std::int64_t{1} << 60);
    FAIL() << "allocated";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kPlacement);
  }
}

}  // namespace
}  // namespace cpbench::test
