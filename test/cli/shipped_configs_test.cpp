// Every config of the repository is read, resolved, and is what its comment says.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/config/config_file.hpp"
#include "specs.hpp"
#include "support/config_path.hpp"

namespace cpbench {
namespace {

std::vector<SweepPoint> points_of(std::string_view name, int world) {
  return resolve_all(expand(read_config(find_config(name)), {}), {.world_size = world});
}

std::ptrdiff_t runnable(const std::vector<SweepPoint>& points) {
  return std::count_if(points.begin(), points.end(), [](const SweepPoint& point) { return point.of.has_value(); });
}

TEST(ShippedConfigs, AllAreReadable) {
  int sweeps = 0;
  for (const auto& entry : std::filesystem::directory_iterator(find_config("bench.json").parent_path())) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "models.json") continue;
    const auto points = points_of(entry.path().filename().string(), 16);
    EXPECT_GT(runnable(points), 0) << entry.path();
    ++sweeps;
  }
  EXPECT_GE(sweeps, 5);
}

TEST(ShippedConfigs, BenchIsEveryAlgorithmOnLlama3Heads) {
  const auto points = points_of("bench.json", 4);
  ASSERT_EQ(points.size(), 5u);
  EXPECT_EQ(runnable(points), 5);
  for (const SweepPoint& point : points) {
    EXPECT_EQ(point.of->cp_size(), 4);
    EXPECT_EQ(point.of->problem.heads, 32);
    EXPECT_EQ(point.of->problem.kv_heads, 8);
    EXPECT_EQ(point.of->problem.dtype, DType::kBf16);
    EXPECT_EQ(point.of->pass, Pass::kForwardBackward);
  }
  EXPECT_EQ(points[2].of->grid, (Grid{.outer = 2, .inner = 2}));
  EXPECT_EQ(points[3].of->grid, (Grid{.ulysses = 2, .outer = 1, .inner = 2}));
}

TEST(ShippedConfigs, SmokeRunsOnFourRanks) {
  const auto points = points_of("smoke.json", 4);
  EXPECT_EQ(runnable(points), static_cast<std::ptrdiff_t>(points.size()));
  EXPECT_EQ(points.size(), 18u);
  for (const SweepPoint& point : points) {
    if (std::string_view(point.of->algorithm->name) != "hybrid") continue;
    EXPECT_EQ(point.of->grid.ulysses, 2);
    EXPECT_EQ(point.of->grid.ring(), 2);
  }
}

TEST(ShippedConfigs, TheWindowSweepSkipsWhatDoesNotDivide) {
  const auto points = points_of("cp-window-sweep.json", 16);
  ASSERT_EQ(points.size(), 17u);
  EXPECT_EQ(runnable(points), 14);  // windows 4 and 8 on 2 ranks, 8 on 4
  EXPECT_EQ(runnable(points_of("cp-window-sweep.json", 4)), 6);
}

TEST(ShippedConfigs, TheUspTableIsThatOfLongContextAttention) {
  const auto points = points_of("usp-table.json", 8);
  ASSERT_EQ(points.size(), 22u);    // degree 8 leaves no ring: its three shards are one
  EXPECT_EQ(runnable(points), 16);  // 2 heads: degrees 1 and 2
  for (const SweepPoint& point : points) EXPECT_EQ(point.axes["batch"], 2);
}

TEST(ShippedConfigs, Llama2At32KIsScaledByOneKey) {
  const auto file = find_config("llama2-32k-windows.json");
  const auto full = resolve_all(expand(read_config(file, 1.0), {}), {.world_size = 16});
  ASSERT_EQ(full.size(), 4u);
  EXPECT_EQ(runnable(full), 4);
  EXPECT_EQ(full[0].of->problem.seq_len, 32768);
  EXPECT_EQ(full[1].of->grid.inner, 2);
  EXPECT_EQ(points_of("llama2-32k-windows.json", 16)[0].of->problem.seq_len, 2048);
}

}  // namespace
}  // namespace cpbench
