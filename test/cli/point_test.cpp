#include "cli/axes/point.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cli/axes/legal.hpp"
#include "specs.hpp"

namespace cpbench {
namespace {

const ResolveContext kEightRanks{.world_size = 8};

Json axes(const Flags& flags, const ResolveContext& context = kEightRanks) { return resolved(flags, context).axes; }

TEST(Resolve, AppliesTheTablesDefaults) {
  const Json all = axes({});
  const Json expected = {{"algo", "ring"},       {"cp_size", 8},         {"ulysses_degree", 1},
                         {"window_size", 1},     {"shard", "zigzag"},    {"rank_order", "ulysses-inner"},
                         {"model", "none"},      {"seq_len", 8192},      {"batch", 1},
                         {"heads", 8},           {"kv_heads", 8},        {"head_dim", 128},
                         {"head_dim_v", 128},    {"sink", false},        {"uneven_heads", false},
                         {"tensor_parallel", 1}, {"dtype", "bf16"},      {"mask", "causal"},
                         {"docs", "none"},       {"layout", "bshd"},     {"pass", "fwd+bwd"},
                         {"overlap", "on"},      {"prune", "on"},        {"accumulate", "fused"},
                         {"kv_parts", 1},        {"scale", all["scale"]}};
  EXPECT_DOUBLE_EQ(all["scale"], 1 / std::sqrt(128.0));
  EXPECT_EQ(all.size(), kAxisCount);
  for (const auto& [name, value] : expected.items()) EXPECT_EQ(all[name], value) << name;
}

TEST(Resolve, SizesFollowEachOther) {
  const Json all = axes({{"heads", "6"}, {"head_dim", "64"}});
  EXPECT_EQ(all["kv_heads"], 6);
  EXPECT_EQ(all["head_dim_v"], 64);
  EXPECT_DOUBLE_EQ(all["scale"], 0.125);
}

TEST(Resolve, ShardDefaultsDependOnTheAlgorithm) {
  for (const char* algorithm : {"ring", "double-ring", "hybrid"}) {
    EXPECT_EQ(axes({{"algo", algorithm}, {"ulysses_degree", "2"}})["shard"], "zigzag") << algorithm;
  }
  for (const char* algorithm : {"ulysses", "all-gather"}) {
    EXPECT_EQ(axes({{"algo", algorithm}})["shard"], "contiguous") << algorithm;
  }
  EXPECT_EQ(axes({{"algo", "all-gather"}, {"shard", "striped"}})["shard"], "striped");
}

TEST(Resolve, GridsAreThoseOfTheAlgorithms) {
  const auto grid = [](const Flags& flags, int world) { return resolved(flags, {.world_size = world}).of.grid; };
  EXPECT_EQ(grid({{"algo", "ulysses"}}, 8), (Grid{.ulysses = 8}));
  EXPECT_EQ(grid({{"algo", "ring"}}, 6), (Grid{.inner = 6}));
  EXPECT_EQ(grid({{"algo", "all-gather"}}, 6), (Grid{.inner = 6}));
  EXPECT_EQ(grid({{"algo", "double-ring"}, {"window_size", "3"}}, 6), (Grid{.outer = 2, .inner = 3}));
  EXPECT_EQ(grid({{"algo", "hybrid"}, {"ulysses_degree", "2"}, {"window_size", "2"}, {"rank_order", "ring-inner"}}, 8),
            (Grid{.ulysses = 2, .outer = 2, .inner = 2, .order = RankOrder::kRingInner}));
}

TEST(Resolve, TheDefaultWindowIsTheLargestDivisorUpToTheSquareRoot) {
  const std::pair<int, int> expected[] = {{1, 1}, {2, 1}, {4, 2}, {6, 2}, {7, 1}, {8, 2}, {12, 3}, {16, 4}, {36, 6}};
  for (const auto& [ring, window] : expected) {
    EXPECT_EQ(axes({{"algo", "double-ring"}}, {.world_size = ring})["window_size"], window) << ring;
  }
  EXPECT_EQ(axes({{"algo", "hybrid"}, {"ulysses_degree", "2"}})["window_size"], 1);
}

TEST(Resolve, OverSeveralNodesTheDefaultWindowIsWhatANodeHoldsOfTheRing) {
  const auto window = [](int ring, int ranks_per_node) {
    const ResolveContext context{.world_size = ring, .ranks_per_node = ranks_per_node};
    return axes({{"algo", "double-ring"}}, context)["window_size"];
  };
  EXPECT_EQ(window(16, 8), 8);
  EXPECT_EQ(window(256, 8), 8);
  EXPECT_EQ(window(12, 8), 4);
  EXPECT_EQ(window(9, 8), 1);
  EXPECT_EQ(window(16, 16), 4) << "one node";
  EXPECT_EQ(
      axes({{"algo", "double-ring"}, {"window_size", "2"}}, {.world_size = 16, .ranks_per_node = 8})["window_size"], 2);
}

TEST(Resolve, TheDefaultUlyssesDegreeIsTheLargestLegalOneOfANode) {
  const auto degree = [](const Flags& flags, int world, int ranks_per_node) {
    Flags all = flags;
    all.emplace_back("algo", "hybrid");
    return axes(all, {.world_size = world, .ranks_per_node = ranks_per_node})["ulysses_degree"];
  };
  EXPECT_EQ(degree({{"heads", "8"}}, 8, 0), 8);
  EXPECT_EQ(degree({{"heads", "8"}}, 16, 4), 4);
  EXPECT_EQ(degree({{"heads", "6"}}, 8, 0), 2);
  EXPECT_EQ(degree({{"heads", "6"}}, 6, 4), 2);  // 3 would straddle two nodes
  EXPECT_EQ(degree({{"heads", "8"}, {"window_size", "2"}}, 8, 0), 4);
  EXPECT_EQ(degree({{"heads", "8"}, {"tensor_parallel", "4"}}, 8, 0), 2);
  EXPECT_EQ(degree({{"heads", "6"}, {"uneven_heads", "on"}}, 8, 0), 4);
}

TEST(Resolve, AxesThatAnAlgorithmIgnoresAreTheSameForEveryValue) {
  for (const char* algorithm : {"ulysses", "ring", "all-gather"}) {
    const Flags one = {
        {"algo", algorithm}, {"window_size", "2"}, {"ulysses_degree", "4"}, {"rank_order", "ring-inner"}};
    const Flags other = {{"algo", algorithm}, {"window_size", "3"}};
    EXPECT_EQ(axes(one), axes(other));
  }
  EXPECT_EQ(axes({{"algo", "ulysses"}, {"shard", "striped"}}), axes({{"algo", "ulysses"}}));
}

TEST(Resolve, AModelSetsShapeMaskAndSink) {
  const Json all = axes({{"model", "gpt-oss-20b"}});
  EXPECT_EQ(all["model"], "gpt-oss-20b");
  EXPECT_EQ(all["heads"], 64);
  EXPECT_EQ(all["kv_heads"], 8);
  EXPECT_EQ(all["head_dim"], 64);
  EXPECT_EQ(all["mask"], "window:127:0");
  EXPECT_EQ(all["sink"], true);
  EXPECT_EQ(axes({{"model", "deepseek-v3"}})["head_dim_v"], 128);
  EXPECT_EQ(axes({{"model", "llama3-8b"}})["mask"], "causal");
}

TEST(Resolve, FlagsOverrideTheModel) {
  const Json all = axes({{"model", "gpt-oss-20b"}, {"heads", "16"}, {"mask", "causal"}, {"sink", "off"}});
  EXPECT_EQ(all["heads"], 16);
  EXPECT_EQ(all["kv_heads"], 8);
  EXPECT_EQ(all["mask"], "causal");
  EXPECT_EQ(all["sink"], false);
  EXPECT_EQ(axes({{"model", "llama2-7b"}, {"heads", "16"}})["kv_heads"], 16) << "multi-head attention stays so";
  EXPECT_EQ(axes({{"model", "llama3-8b"}, {"head_dim", "64"}})["head_dim_v"], 64);
}

TEST(Resolve, TensorParallelDividesTheHeadsOfTheCaseOnly) {
  const ResolvedPoint point =
      resolved({{"heads", "32"}, {"kv_heads", "8"}, {"tensor_parallel", "4"}}, {.world_size = 2});
  EXPECT_EQ(point.of.problem.heads, 8);
  EXPECT_EQ(point.of.problem.kv_heads, 2);
  EXPECT_EQ(point.of.cp_size(), 2);
  EXPECT_EQ(point.axes["heads"], 32);
  EXPECT_EQ(point.axes["kv_heads"], 8);
}

TEST(Resolve, DocumentsAreAListOrDrawnByTheSeed) {
  const auto documents = [](std::string_view docs, std::uint64_t seed) {
    return resolved({{"docs", docs}, {"seq_len", "4000"}}, {.world_size = 2, .seed = seed}).of.problem.documents;
  };
  EXPECT_EQ(documents("1000,2500,500", 1).lengths(), (std::vector<std::int64_t>{1000, 2500, 500}));
  EXPECT_EQ(documents("none", 1).count(), 1);
  EXPECT_EQ(documents("pile", 1).lengths(), documents("pile.json", 1).lengths());
  EXPECT_NE(documents("pile", 1).lengths(), documents("pile", 2).lengths());
  EXPECT_EQ(documents("pile", 1).seq_len(), 4000);
}

TEST(Resolve, OnlyPlanMayExceedTheWorld) {
  const PointSpec spec = spec_of({{"cp_size", "1024"}});
  EXPECT_EQ(resolve(spec, {.world_size = 1, .cp_size_is_bounded = false}).of.cp_size(), 1024);
}

TEST(Resolve, ResolvedAxesReadBackResolveToThemselves) {
  const Flags points[] = {
      {},
      {{"algo", "hybrid"}, {"window_size", "2"}, {"heads", "4"}, {"sink", "on"}, {"overlap", "off"}},
      {{"algo", "ulysses"}, {"model", "llama3-8b"}, {"mask", "window:5:7"}, {"scale", "0.3"}},
      {{"algo", "double-ring"}, {"docs", "100,900"}, {"seq_len", "1000"}, {"shard", "zigzag-docs"}},
      {{"algo", "all-gather"}, {"docs", "pile"}, {"head_dim", "72"}, {"head_dim_v", "8"}, {"pass", "bwd"}},
  };
  for (const Flags& flags : points) {
    const Json once = axes(flags);
    PointSpec again;
    for (const AxisInfo& info : all_axes()) {
      again.set(info.axis, value_from_json(info, once[std::string(info.name)], info.name));
    }
    EXPECT_EQ(resolve(again, kEightRanks).axes, once);
  }
}

TEST(Noteworthy, IsTheSizeAndWhatDiffersFromItsDefault) {
  const auto noted = [](Flags flags) {
    flags.insert(flags.end(), {{"heads", "4"}, {"head_dim", "64"}});
    return noteworthy(axes(flags)).dump();
  };
  const std::string size = R"("batch":1,"heads":4,"kv_heads":4,"head_dim":64)";
  EXPECT_NE(noted({}).find(size + R"(,"dtype":"bf16"})"), std::string::npos) << noted({});
  EXPECT_NE(noted({{"docs", "8191,1"}}).find(R"("docs":[8191,1])"), std::string::npos);
  EXPECT_NE(noted({{"sink", "on"}, {"overlap", "off"}}).find(R"("sink":true,"dtype":"bf16","overlap":"off"})"),
            std::string::npos);
  for (const auto& [name, other] : Flags{{"head_dim_v", "32"}, {"scale", "0.5"}, {"layout", "thd"}, {"prune", "off"}}) {
    const std::string key = "\"" + std::string(name) + "\":";
    EXPECT_EQ(noted({}).find(key), std::string::npos) << name;
    EXPECT_NE(noted({{name, other}}).find(key), std::string::npos) << name;
  }
}

TEST(Noteworthy, IsADefaultThatFollowsWhatIsNotShared) {
  const Json shared = noteworthy({{"head_dim_v", 64}, {"scale", 0.125}});
  EXPECT_EQ(shared, (Json{{"head_dim_v", 64}, {"scale", 0.125}}));
}

TEST(Noteworthy, IsWhatHasNoDefault) {
  EXPECT_EQ(noteworthy({{"overlap", "on"}, {"isa", "avx2"}, {"seed", 1}}), (Json{{"isa", "avx2"}, {"seed", 1}}));
}

TEST(Legal, DivisorsAndNeighbours) {
  EXPECT_EQ(divisors_of(12), (std::vector<std::int64_t>{1, 2, 3, 4, 6, 12}));
  EXPECT_EQ(divisors_of(1), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(multiples_around(6, 4), (std::vector<std::int64_t>{4, 8}));
  EXPECT_EQ(multiples_around(8, 4), (std::vector<std::int64_t>{4, 12}));
  EXPECT_EQ(multiples_around(3, 4), (std::vector<std::int64_t>{4}));
}

TEST(Legal, ChoicesAreTheNearestLegalCandidates) {
  const auto choices = [](const std::vector<Remedy>& remedies, std::int64_t most, bool flag) {
    return legal_choices(
        remedies, [&](Axis axis, const AxisValue& value) { return axis == Axis::kUnevenHeads ? flag : value <= most; });
  };
  const Remedy window = {Axis::kWindowSize, 3, divisors_of(8)}, uneven = {Axis::kUnevenHeads, 0, {1}};
  EXPECT_EQ(choices({window}, 8, false), "; nearest legal window_size: 2 or 4");
  EXPECT_EQ(choices({window, uneven}, 3, true), "; nearest legal window_size: 2, or --uneven-heads");
  EXPECT_EQ(choices({window, uneven}, 0, true), "; or --uneven-heads");
  EXPECT_EQ(choices({window, uneven}, 0, false), "");
  EXPECT_EQ(choices({{Axis::kHeads, 5, {std::int64_t{1} << 40}}}, std::int64_t{1} << 50, false), "") << "out of range";
}

}  // namespace
}  // namespace cpbench
