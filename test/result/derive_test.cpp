#include "result/derive.hpp"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

Timing timing_of(double full, double compute_only, double comm_only) {
  Timing timing;
  timing.full.median_s = full;
  timing.compute_only.median_s = compute_only;
  timing.comm_only.median_s = comm_only;
  return timing;
}

TEST(Derive, ThroughputByHand) {
  // 8e12 FLOPs over 4 ranks in 0.5 s: 4 TFLOP/s each, of a peak of 16; compute alone takes 0.4 s.
  const Work work = {.flops = 8'000'000'000'000, .tokens = 2048, .ranks = 4, .peak_tflops = 16};
  const Throughput figures = throughput_of(timing_of(0.5, 0.4, 0.3), work);
  EXPECT_EQ(figures.flops, work.flops);
  EXPECT_DOUBLE_EQ(*figures.tflops_per_rank, 4);
  EXPECT_DOUBLE_EQ(*figures.iterations_per_s, 2);
  EXPECT_DOUBLE_EQ(*figures.tokens_per_s, 4096);
  EXPECT_DOUBLE_EQ(*figures.fraction_of_compute_only, 0.8);
  EXPECT_DOUBLE_EQ(*figures.peak_tflops, 16);
  EXPECT_DOUBLE_EQ(*figures.fraction_of_peak, 0.25);
}

TEST(Derive, FlopsBeyond64Bits) {
  const Work work = {.flops = int128{1} << 80, .tokens = 1, .ranks = 1};
  EXPECT_DOUBLE_EQ(*throughput_of(timing_of(1, 1, 0), work).tflops_per_rank, 0x1p80 / 1e12);
}

TEST(Derive, UnknownPeakHasNoFraction) {
  const Throughput figures = throughput_of(timing_of(0.5, 0.4, 0.3), {.flops = 1, .tokens = 1, .ranks = 1});
  EXPECT_FALSE(figures.peak_tflops);
  EXPECT_FALSE(figures.fraction_of_peak);
}

TEST(Derive, NoTimeHasNoRates) {
  const Throughput figures = throughput_of(timing_of(0, 0, 0), {.flops = 1, .tokens = 1, .ranks = 1, .peak_tflops = 1});
  for (const auto& figure : {figures.tflops_per_rank, figures.iterations_per_s, figures.tokens_per_s,
                             figures.fraction_of_compute_only, figures.fraction_of_peak}) {
    EXPECT_FALSE(figure);
  }
}

TEST(Derive, CommunicationByHand) {
  // Of 0.3 s of communication 0.1 s is seen beside 0.4 s of compute: two thirds are hidden. 6e8 bytes in 0.3 s: 2 GB/s.
  const CommFigures figures = comm_figures_of(timing_of(0.5, 0.4, 0.3), {.bytes_sent_per_rank = 600'000'000});
  EXPECT_EQ(figures.bytes_sent_per_rank, 600'000'000);
  EXPECT_DOUBLE_EQ(*figures.bus_bandwidth, 2);
  EXPECT_NEAR(figures.exposed_s, 0.1, 1e-15);
  EXPECT_NEAR(*figures.overlap_efficiency, 2.0 / 3, 1e-15);
}

TEST(Derive, OverlapIsMeasuredAgainstTheShorterPart) {
  const Work work = {.bytes_sent_per_rank = 1};
  EXPECT_NEAR(*comm_figures_of(timing_of(1.0, 0.2, 1.0), work).overlap_efficiency, 1, 1e-15);  // all compute is hidden
  EXPECT_NEAR(*comm_figures_of(timing_of(1.2, 0.2, 1.0), work).overlap_efficiency, 0, 1e-15);  // one after the other
  EXPECT_LT(*comm_figures_of(timing_of(1.3, 0.2, 1.0), work).overlap_efficiency, 0);           // they even disturb
}

TEST(Derive, WithoutCommunicationThereIsNoBandwidthAndNoOverlap) {
  const CommFigures figures = comm_figures_of(timing_of(0.41, 0.4, 1e-7), {.bytes_sent_per_rank = 0});
  EXPECT_FALSE(figures.bus_bandwidth);
  EXPECT_FALSE(figures.overlap_efficiency);
  EXPECT_NEAR(figures.exposed_s, 0.01, 1e-15);
}

TEST(Derive, WithoutComputeThereIsNoOverlap) {
  const CommFigures figures = comm_figures_of(timing_of(0.3, 0, 0.3), {.bytes_sent_per_rank = 1});
  EXPECT_TRUE(figures.bus_bandwidth);
  EXPECT_FALSE(figures.overlap_efficiency);
}

TEST(Derive, StepsCountFromTheFirstSpan) {
  Program program;
  program.ops = {{.action = Delta{}, .label = {"delta"}, .stream = Stream::kCompute, .backward = true},
                 {.action = Exchange{}, .label = {"kv hop", 3}, .stream = Stream::kOuter}};
  const std::vector<Span> spans = {{.op = 0, .begin_ns = 5'000, .end_ns = 9'000},
                                   {.op = 1, .begin_ns = 2'000, .end_ns = 8'000}};
  const std::vector<Step> steps = steps_of(program, spans);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[1].label, "kv hop 3");
  EXPECT_EQ(steps[1].kind, "exchange");
  EXPECT_EQ(steps[1].stream, "outer");
  EXPECT_EQ(steps[0].pass, "bwd");
  EXPECT_EQ(steps[1].pass, "fwd");
  EXPECT_EQ(steps[1].begin_s, 0);
  EXPECT_NEAR(steps[0].begin_s, 3e-6, 1e-15);
  EXPECT_NEAR(steps[0].end_s, 7e-6, 1e-15);
  EXPECT_TRUE(steps_of(program, {}).empty());
}

}  // namespace
}  // namespace cpbench
