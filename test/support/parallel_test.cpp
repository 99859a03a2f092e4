#include "support/parallel.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace cpbench {
namespace {

TEST(ParallelForEach, DoesEveryItemOnce) {
  for (const std::size_t count : {0, 1, 15, 16, 33, 1000}) {
    std::vector<std::atomic<int>> done(count);
    parallel_for_each(count, [&](std::size_t i) { ++done[i]; });
    for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
  }
}

TEST(ParallelForEach, ThrowsWhatAnItemThrew) {
  for (const std::size_t count : {1, 1000}) {
    EXPECT_THROW(parallel_for_each(count, [](std::size_t) { throw std::out_of_range("an item"); }), std::out_of_range);
  }
}

TEST(ParallelForEach, BeginsNoFurtherItemsOnceOneThrew) {
  std::atomic<int> begun = 0;
  EXPECT_THROW(parallel_for_each(100'000,
                                 [&](std::size_t) {
                                   ++begun;
                                   throw std::out_of_range("an item");
                                 }),
               std::out_of_range);
  EXPECT_LE(begun, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace cpbench
