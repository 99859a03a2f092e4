#include "validate/on_threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <vector>

namespace cpbench {
namespace {

TEST(OnThreads, DoesEveryItemOnce) {
  std::vector<std::atomic<int>> done(100);
  on_threads(3, done.size(), [&](std::size_t i) { ++done[i]; });
  for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
}

TEST(OnThreads, ThrowsWhatAnItemThrew) {
  EXPECT_THROW(on_threads(3, 100, [](std::size_t) { throw std::bad_alloc(); }), std::bad_alloc);
}

}  // namespace
}  // namespace cpbench
