#include "report/figure.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "result/sample_result.hpp"

namespace cpbench {
namespace {

TEST(Figures, AreThoseOfTheResultFile) {
  const std::pair<const char*, double> expected[] = {{"time_s", 0.012},           {"compute_only_s", 0.010},
                                                     {"comm_only_s", 0.004},      {"tflops_per_rank", 0.0104},
                                                     {"iterations_per_s", 83.3},  {"tokens_per_s", 84083},
                                                     {"peak_tflops", 0.1},        {"fraction_of_compute_only", 0.833},
                                                     {"fraction_of_peak", 0.104}, {"exposed_s", 0.002},
                                                     {"bus_bandwidth", 1.5},      {"overlap_efficiency", 0.5},
                                                     {"planned_bytes", 1 << 20},  {"bytes_sent_per_rank", 4096},
                                                     {"peak_bytes", 7},           {"bytes_between_nodes", 12},
                                                     {"load_balance", 0.75}};
  PointRecord point = sample_ok();
  point.memory->peak_bytes = 7;
  point.plan = PlanFigures{.load_balance = 0.75, .bytes_between_nodes = 12, .available_bytes = {}};
  EXPECT_EQ(all_figures().size(), std::size(expected));
  for (const auto& [name, value] : expected) {
    EXPECT_EQ(find_figure(name).of(point), value) << name;
    EXPECT_EQ(find_figure(name).of(sample_invalid()), std::nullopt) << name << " of a wrong result";
    EXPECT_EQ(find_figure(name).of(sample_not_ok(Status::kFailed, "why")), std::nullopt) << name;
  }
  EXPECT_EQ(find_figure("peak_bytes").of(sample_ok()), std::nullopt) << "not counted on a CPU";
}

TEST(Figures, WithoutMessagesNothingIsExposed) {
  PointRecord point = sample_ok();
  point.comm->bytes_sent_per_rank = 0;
  for (const char* name : {"exposed_s", "overlap_efficiency", "bus_bandwidth"}) {
    EXPECT_EQ(find_figure(name).of(point), std::nullopt) << name;
  }
  EXPECT_EQ(find_figure("bytes_sent_per_rank").of(point), 0);
}

TEST(Figures, UnknownOnesAreRefused) {
  expect_refused([] { find_figure("time"); }, {"figure \"time\"", "did you mean \"time_s\"", "peak_bytes"});
}

}  // namespace
}  // namespace cpbench
