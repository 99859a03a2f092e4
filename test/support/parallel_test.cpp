#include "support/parallel.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "support/allowed_cpus.hpp"

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
  EXPECT_LE(begun, static_cast<int>(allowed_cpus().size()));
}

TEST(ParallelForEach, HasAThreadForAsManyItemsAsAskedFor) {
  const std::size_t cpus = allowed_cpus().size();
  for (const std::size_t items_per_thread : {1, 2}) {
    const std::size_t count = cpus * items_per_thread;
    std::atomic<std::size_t> begun = 0;
    std::set<std::thread::id> threads;
    std::mutex mutex;
    const auto wait_for_others = [&](std::size_t) {  // each thread has one item, until every thread has
      {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      }
      ++begun;
      while (begun < cpus) std::this_thread::yield();
    };
    parallel_for_each(count, wait_for_others, items_per_thread);
    EXPECT_EQ(threads.size(), cpus);
  }
}

TEST(ParallelForEach, StartsNoThreadForAFewItems) {
  std::set<std::thread::id> threads;
  parallel_for_each(31, [&](std::size_t) { threads.insert(std::this_thread::get_id()); });
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

}  // namespace
}  // namespace cpbench
