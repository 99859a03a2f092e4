#include "support/collective.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "validate/in_process_collective.hpp"

namespace cpbench {
namespace {

TEST(RunRanks, CollectivesJoinAllRanks) {
  run_ranks(5, [](Collective& collective) {
    const double rank = collective.rank();
    for (int round = 0; round < 20; ++round) {
      std::vector<double> values = {rank, -rank};
      collective.sum(values);
      EXPECT_EQ(values, (std::vector<double>{10, -10}));
      values = {rank, -rank};
      collective.max(values);
      EXPECT_EQ(values, (std::vector<double>{4, 0}));
      const std::vector<double> mine(static_cast<std::size_t>(collective.rank()), rank);
      const auto all = collective.allgatherv(mine);
      ASSERT_EQ(all.size(), 5u);
      for (std::size_t r = 0; r < 5; ++r) EXPECT_EQ(all[r], std::vector<double>(r, static_cast<double>(r)));
    }
  });
}

TEST(RunRanks, ARankThatFailsDoesNotHangTheOthers) {
  const auto fail = [](Collective& collective) {
    if (collective.rank() == 1) throw std::invalid_argument("rank 1");
    collective.allgather(1);
  };
  EXPECT_THROW(run_ranks(3, fail), std::invalid_argument);
}

}  // namespace
}  // namespace cpbench
