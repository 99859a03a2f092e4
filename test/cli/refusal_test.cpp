// Impossible points: each is refused with the rule, the values and the nearest legal choice.
#include <optional>

#include "expect_refused.hpp"
#include "specs.hpp"

namespace cpbench {
namespace {

void expect_impossible(const Flags& flags, std::initializer_list<std::string_view> parts, int world = 8) {
  expect_refused([&] { resolved(flags, {.world_size = world}); }, parts);
}

TEST(Refusal, CpSizeAboveTheWorld) {
  expect_impossible({{"cp_size", "16"}}, {"cp_size 16", "8 ranks", "nearest legal cp_size: 8"});
  expect_impossible({{"algo", "ulysses"}, {"cp_size", "16"}}, {"cp_size 16", "7 ranks", "nearest legal cp_size: 4"}, 7);
}

TEST(Refusal, WindowThatDoesNotDivideTheRing) {
  expect_impossible({{"algo", "double-ring"}, {"window_size", "3"}}, {"window_size 3", "8 ranks", "2 or 4"});
  expect_impossible({{"algo", "double-ring"}, {"window_size", "16"}},
                    {"window_size 16", "nearest legal window_size: 8"});
  expect_impossible({{"algo", "hybrid"}, {"ulysses_degree", "2"}, {"window_size", "3"}},
                    {"window_size 3", "4 ranks", "cp_size 8 / ulysses_degree 2", "2 or 4"});
  expect_impossible({{"algo", "hybrid"}, {"window_size", "3"}}, {"window_size 3", "2 or 4"});
}

TEST(Refusal, UlyssesDegreeThatDoesNotDivideCpSize) {
  expect_impossible({{"algo", "hybrid"}, {"ulysses_degree", "3"}, {"heads", "6"}},
                    {"ulysses_degree 3", "cp_size 8", "nearest legal ulysses_degree: 2"});
}

/// What keeps the point from being possible, if anything does.
std::optional<std::string> refusal_of(const PointSpec& spec, const ResolveContext& context) {
  try {
    resolve(spec, context);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

/// `nearest legal cp_size: 4 or 8` with the closest values below and above that make the point possible, found by
/// trying all; empty if none does.
std::string nearest_by_trial(PointSpec spec, Axis axis, std::int64_t asked, const ResolveContext& context) {
  constexpr std::int64_t kMost = 64;
  std::string values;
  for (const std::int64_t step : {-1, 1}) {
    std::int64_t value = asked + step;
    for (; value >= 1 && value <= kMost; value += step) {
      spec.set(axis, value);
      if (!refusal_of(spec, context)) break;
    }
    if (value < 1 || value > kMost) continue;
    values += fmt::format("{}{}", values.empty() ? "" : " or ", value);
  }
  return values.empty() ? "" : fmt::format("nearest legal {}: {}", info_of(axis).name, values);
}

TEST(Refusal, OfAGridNamesTheNearestLegalValueOfEveryAxisThatCouldHelp) {
  constexpr Axis kGrid[] = {Axis::kCpSize, Axis::kUlyssesDegree, Axis::kWindowSize};
  constexpr int kStep = 7;  // no factor of the sizes: every value of each is met
  int refused = 0;
  for (const char* algo : {"double-ring", "hybrid", "ulysses"}) {
    for (int point = 0; point < 12 * 6 * 6 * 2; point += kStep) {
      const int cp_size = point % 12 + 1, degree = point / 12 % 6 + 1, window = point / 72 % 6 + 1;
      const ResolveContext context{.world_size = 8, .cp_size_is_bounded = point / 432 == 0};
      PointSpec spec = spec_of({{"algo", algo}, {"heads", "12"}});
      spec.set(Axis::kCpSize, cp_size);
      spec.set(Axis::kUlyssesDegree, degree);
      spec.set(Axis::kWindowSize, window);
      const auto refusal = refusal_of(spec, context);
      if (!refusal) continue;
      ++refused;
      for (const Axis axis : kGrid) {
        const std::string expected = nearest_by_trial(spec, axis, spec.integer(axis), context);
        const auto named = refusal->find(fmt::format("nearest legal {}:", info_of(axis).name));
        EXPECT_EQ(named == std::string::npos ? "" : refusal->substr(named, refusal->find(',', named) - named), expected)
            << algo << ": " << *refusal;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(Refusal, HeadsThatTheDegreeDoesNotDivide) {
  expect_impossible(
      {{"algo", "hybrid"}, {"ulysses_degree", "4"}, {"heads", "6"}},
      {"heads 6", "ulysses_degree 4", "nearest legal heads: 4 or 8", "ulysses_degree: 2", "--uneven-heads"});
  expect_impossible({{"algo", "ulysses"}, {"heads", "12"}},
                    {"heads 12", "cp_size 8", "heads: 8 or 16", "cp_size: 6,", "or --uneven-heads"});
  expect_impossible({{"algo", "ulysses"}, {"heads", "16"}, {"tensor_parallel", "4"}},
                    {"heads 16", "tensor_parallel 4", "= 32", "nearest legal heads: 32", "cp_size: 4"});
}

TEST(Refusal, OnlyChoicesThatAllRulesAllowAreNamed) {
  // 7 heads would suit the ranks but not the K/V heads, and a cp_size of 10 exceeds the job.
  expect_impossible({{"algo", "ulysses"}, {"heads", "10"}, {"kv_heads", "2"}},
                    {"= 7; nearest legal heads: 14, nearest legal cp_size: 5, or --uneven-heads"}, 7);
  expect_impossible({{"algo", "ulysses"}, {"heads", "10"}},
                    {"= 7; nearest legal heads: 7 or 14, nearest legal cp_size: 5, or --uneven-heads"}, 7);
  expect_impossible({{"algo", "ulysses"}, {"heads", "8"}, {"tensor_parallel", "3"}},
                    {"tensor_parallel 3", "nearest legal tensor_parallel: 2 or 4"}, 2);
  expect_impossible({{"algo", "ulysses"}, {"heads", "8"}, {"tensor_parallel", "3"}},
                    {"tensor_parallel 3", "nearest legal tensor_parallel: 2"}, 4);
}

TEST(Refusal, FewerHeadsThanTheDegreeEvenIfUneven) {
  expect_impossible({{"algo", "ulysses"}, {"heads", "6"}, {"uneven_heads", "on"}},
                    {"heads 6", "cp_size 8", "nearest legal heads: 8", "nearest legal cp_size: 6"});
  expect_impossible({{"algo", "ulysses"}, {"heads", "3"}, {"kv_heads", "3"}, {"uneven_heads", "on"}},
                    {"heads 3", "cp_size 5", "nearest legal heads: 6"}, 5);
  expect_impossible(
      {{"algo", "ulysses"}, {"heads", "12"}, {"kv_heads", "6"}, {"tensor_parallel", "2"}, {"uneven_heads", "on"}},
      {"heads 12", "= 16", "nearest legal heads: 18"});
}

TEST(Refusal, TensorParallelThatDoesNotDivideTheHeads) {
  expect_impossible({{"heads", "32"}, {"kv_heads", "8"}, {"tensor_parallel", "3"}},
                    {"tensor_parallel 3", "heads 32", "kv_heads 8", "2 or 4"});
}

TEST(Refusal, HeadsThatSuitTensorParallelAndTheRanks) {
  expect_impossible({{"algo", "ulysses"}, {"heads", "6"}, {"tensor_parallel", "4"}},
                    {"tensor_parallel 4 does not divide both heads 6 and kv_heads 6; nearest legal heads: 16"}, 4);
  expect_impossible({{"algo", "hybrid"}, {"ulysses_degree", "2"}, {"heads", "6"}, {"tensor_parallel", "4"}},
                    {"kv_heads 6; nearest legal tensor_parallel: 3, nearest legal heads: 8"}, 4);
  expect_impossible({{"heads", "8"}, {"kv_heads", "2"}, {"tensor_parallel", "4"}},
                    {"; nearest legal tensor_parallel: 2, nearest legal kv_heads: 4"}, 4);
}

TEST(Refusal, WhereNoSingleChangeSufficesTheBrokenRuleNamesItsOwn) {
  expect_impossible({{"algo", "ulysses"}, {"heads", "6"}, {"kv_heads", "6"}, {"tensor_parallel", "4"}},
                    {"kv_heads 6; nearest tensor_parallel: 3 or 6 (by this rule alone: more has to change)"}, 4);
}

TEST(Refusal, OfOneRankSpeaksOfOne) {
  expect_impossible({{"algo", "double-ring"}, {"window_size", "2"}}, {"the ring of 1 rank (cp_size 1"}, 1);
  expect_impossible({{"cp_size", "2"}}, {"the 1 rank of this job"}, 1);
}

TEST(Refusal, ShapesThatNoProblemHas) {
  expect_impossible({{"heads", "8"}, {"kv_heads", "3"}},
                    {"kv_heads 3", "heads 8", "kv_heads: 2 or 4", "heads: 6 or 9"});
  expect_impossible({{"heads", "6"}, {"kv_heads", "4"}}, {"kv_heads 4", "nearest legal kv_heads: 3 or 6"});
  expect_impossible({{"head_dim", "100"}}, {"--head-dim: 100", "multiple of 8", "nearest legal: 96 or 104"});
  expect_impossible({{"head_dim", "7"}}, {"--head-dim: 7", "from 8 to 256"});
  expect_impossible({{"head_dim_v", "264"}}, {"--head-dim-v: 264", "from 8 to 256"});
  expect_impossible({{"seq_len", "4611686018427387904"}, {"batch", "1000000"}}, {"4611686018427387904"});
}

TEST(Refusal, DocumentsThatDoNotSumToTheLength) {
  expect_impossible({{"docs", "100,200"}, {"seq_len", "301"}}, {"docs", "300", "301"});
}

}  // namespace
}  // namespace cpbench
