#include "support/error.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

TEST(ExitCode, GraverFollowsTheStatedOrder) {
  const ExitCode order[] = {ExitCode::kTimeout,         ExitCode::kInternal,   ExitCode::kDevice,
                            ExitCode::kPlacement,       ExitCode::kInvalid,    ExitCode::kUsage,
                            ExitCode::kBaselineMissing, ExitCode::kRegression, ExitCode::kInconclusive,
                            ExitCode::kAllSkipped,      ExitCode::kOk};
  for (std::size_t i = 0; i < std::size(order); ++i) {
    for (std::size_t j = i; j < std::size(order); ++j) {
      EXPECT_EQ(graver(order[i], order[j]), order[i]);
      EXPECT_EQ(graver(order[j], order[i]), order[i]);
    }
  }
}

TEST(Refuse, FormatsItsMessage) {
  expect_refused([] { refuse("heads is {}: {}", -3, "too few"); }, {"heads is -3: too few"});
}

}  // namespace
}  // namespace cpbench
