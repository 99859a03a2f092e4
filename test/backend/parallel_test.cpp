// Work items on the threads of a rank: what one of them throws reaches the caller.
#include "backend/cpu/parallel.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

namespace cpbench {
namespace {

constexpr int kThreads = 3;

TEST(ParallelFor, DoesEveryItemOnce) {
  std::vector<std::atomic<int>> done(100);
  parallel_for(std::ssize(done), {.threads = kThreads},
               [&](std::int64_t item, Poller&) { ++done[static_cast<std::size_t>(item)]; });
  for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
}

TEST(ParallelFor, ThrowsWhatAnItemThrewOnAnyThread) {
  if (omp_get_dynamic() != 0 || omp_get_thread_limit() < kThreads) GTEST_SKIP() << "OpenMP may give fewer threads";
  for (int thread = 0; thread < kThreads; ++thread) {
    std::atomic<bool> thrown = false;
    const auto throw_once_there = [&](std::int64_t, Poller&) {
      if (omp_get_thread_num() == thread) {
        thrown = true;
        throw std::bad_alloc();
      }
      while (!thrown) std::this_thread::yield();
    };
    EXPECT_THROW(parallel_for(kThreads, {.threads = kThreads}, throw_once_there), std::bad_alloc);
  }
}

TEST(ParallelFor, BeginsNoFurtherItemsOnceOneThrew) {
  std::atomic<int> begun = 0;
  const auto fail = [&](std::int64_t, Poller&) {
    ++begun;
    throw std::bad_alloc();
  };
  EXPECT_THROW(parallel_for(100'000, {.threads = kThreads}, fail), std::bad_alloc);
  EXPECT_LE(begun, kThreads);
}

TEST(ParallelFor, ThrowsWhatPollThrew) {
  const KernelContext context{.threads = kThreads, .poll = [] { throw std::out_of_range("a peer"); }};
  const auto until_polled = [](std::int64_t, Poller& poller) {
    for (int i = 0; i < 100; ++i) {
      poller();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  };
  EXPECT_THROW(parallel_for(100, context, until_polled), std::out_of_range);
}

}  // namespace
}  // namespace cpbench
