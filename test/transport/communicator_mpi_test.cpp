// Runs as four ranks.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "support/error.hpp"
#include "transport/communicator.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

TEST(Communicator, ReducesOverRanks) {
  const Communicator world = Communicator::world();
  ASSERT_EQ(world.size(), 4);
  const int rank = world.rank();
  EXPECT_EQ(world.max_over_ranks(rank), 3);
  EXPECT_EQ(world.min_over_ranks(-0.5 * rank), -1.5);
  EXPECT_EQ(world.sum_over_ranks((std::int64_t{1} << 40) + rank), (std::int64_t{4} << 40) + 6);
  std::vector<double> values = {1.0 * rank, -1.0 * rank, rank == 2 ? 9.0 : 0.0};
  world.max(values);
  EXPECT_EQ(values, (std::vector<double>{3, 0, 9}));
}

// Such sums depend on the order: of 1e16, 1, 1 and -1e16 it is 0 from the left, and 2 exactly.
TEST(Communicator, AddsUpInTheOrderOfRanks) {
  const Communicator world = Communicator::world();
  constexpr std::array<double, 4> kOrdered = {1e16, 1, 1, -1e16};
  const auto rank = static_cast<std::size_t>(world.rank());
  for (const std::size_t count : {0, 1, 3, 4, 5, 1000}) {
    std::vector<double> values(count), expected(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = kOrdered[(rank + i) % 4];
      expected[i] = kOrdered[i % 4] + kOrdered[(i + 1) % 4] + kOrdered[(i + 2) % 4] + kOrdered[(i + 3) % 4];
    }
    world.sum(values);
    EXPECT_EQ(values, expected);
  }
}

TEST(Communicator, GathersTextsOnRankZero) {
  const Communicator world = Communicator::world();
  const std::vector<std::string> texts = world.gather(std::string(static_cast<std::size_t>(world.rank()), 'x'));
  EXPECT_EQ(texts, world.rank() == 0 ? (std::vector<std::string>{"", "x", "xx", "xxx"}) : std::vector<std::string>{});
}

TEST(Communicator, GathersTextsPartByPart) {
  const Communicator world = Communicator::world();
  const std::string text = std::string("abcdefghijklm").substr(0, static_cast<std::size_t>(13 - 4 * world.rank()));
  for (const int at_once : {1, 4, 8, 20, 51, 52, 1000}) {
    EXPECT_EQ(world.gather(text, at_once), world.rank() == 0
                                               ? (std::vector<std::string>{"abcdefghijklm", "abcdefghi", "abcde", "a"})
                                               : std::vector<std::string>{});
  }
}

TEST(Communicator, BroadcastsTheTextOfRankZero) {
  const Communicator world = Communicator::world();
  EXPECT_EQ(world.broadcast(world.rank() == 0 ? "from zero" : "from another rank"), "from zero");
  EXPECT_EQ(world.broadcast(world.rank() == 0 ? "" : "not this"), "");
}

TEST(Communicator, GathersValuesOfAnyTypeEverywhere) {
  const Communicator world = Communicator::world();
  const auto rank = static_cast<std::size_t>(world.rank());
  EXPECT_EQ(world.allgather(world.rank()), (std::vector<int>{0, 1, 2, 3}));
  const auto all = world.allgather(std::array<std::int64_t, 2>{std::int64_t{1} << 60, world.rank()});
  for (std::int64_t r = 0; r < 4; ++r) {
    EXPECT_EQ(all[static_cast<std::size_t>(r)], (std::array<std::int64_t, 2>{std::int64_t{1} << 60, r}));
  }
  const std::vector<double> mine(rank, world.rank());
  EXPECT_EQ(world.allgatherv(mine), (std::vector<std::vector<double>>{{}, {1}, {2, 2}, {3, 3, 3}}));
  EXPECT_EQ(world.allgatherv(std::string(rank, 'x')), (std::vector<std::string>{"", "x", "xx", "xxx"}));
  EXPECT_EQ(world.allgatherv(std::vector<int>()), std::vector<std::vector<int>>(4));
}

TEST(Communicator, FirstRanksFormAGroup) {
  const Communicator world = Communicator::world();
  const auto group = world.first(3);
  ASSERT_EQ(group.has_value(), world.rank() < 3);
  if (!group) return;
  EXPECT_EQ(group->size(), 3);
  EXPECT_EQ(group->rank(), world.rank());
  EXPECT_EQ(group->sum_over_ranks(world.rank()), 3);
}

TEST(Communicator, TakesTheTagsThatMpiTakes) {
  const Communicator world = Communicator::world();
  int* largest = nullptr;
  int found = 0;
  MPI_Comm_get_attr(world.handle(), MPI_TAG_UB, &largest, &found);
  ASSERT_NE(found, 0);
  EXPECT_EQ(world.require_tag(*largest), *largest);
  try {
    world.require_tag(std::int64_t{*largest} + 1);
    ADD_FAILURE() << "a tag beyond the largest went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kDevice);
    EXPECT_NE(std::string_view(error.what()).find("largest"), std::string_view::npos) << error.what();
  }
}

TEST(Communicator, RanksOfOneMachineShareANode) {
  const Communicator node = Communicator::world().node();
  EXPECT_EQ(node.size(), 4);
  EXPECT_EQ(node.rank(), Communicator::world().rank());
}

TEST(Communicator, NobodyPassesABarrierBeforeAllHaveCome) {
  const Communicator world = Communicator::world();
  int* counter = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  MPI_Win_allocate_shared(world.rank() == 0 ? sizeof(int) : 0, 1, MPI_INFO_NULL, world.handle(), &counter, &window);
  MPI_Aint bytes = 0;
  int unit = 0;
  MPI_Win_shared_query(window, 0, &bytes, &unit, &counter);
  const std::atomic_ref<int> arrived(*counter);
  if (world.rank() == 0) arrived = 0;
  MPI_Barrier(world.handle());
  for (int round = 1; round <= 100; ++round) {
    ++arrived;
    world.barrier();
    EXPECT_GE(arrived, round * world.size());
  }
  MPI_Win_free(&window);
}

TEST(MpiErrors, CarryMpisTextAndTheDeviceExitCode) {
  try {
    int value = 0;
    check_mpi(MPI_Send(&value, 1, MPI_INT, 99, 0, MPI_COMM_WORLD), "MPI_Send");
    ADD_FAILURE() << "a send to a rank that does not exist went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kDevice);
    EXPECT_TRUE(std::string_view(error.what()).starts_with("MPI_Send: "));
    EXPECT_NE(std::string_view(error.what()).find("rank"), std::string_view::npos) << error.what();
  }
}

TEST(MpiSession, NamesTheLibrary) {
  const std::string version = mpi_library_version();
  EXPECT_NE(version.find("MPI"), std::string::npos) << version;
  EXPECT_EQ(version.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace cpbench
