// The backend around the kernel: memory, names, polling, and kernels added from outside.
#include "backend/cpu/cpu_backend.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "backend/support/host_program.hpp"
#include "support/error.hpp"

namespace cpbench::test {
namespace {

/// A kernel that this test adds: it records what it was asked.
struct RecordingKernel : AttentionKernel {
  static inline int attends = 0, threads = 0;
  void attend(const AttendArguments& arguments, const KernelContext& context) override {
    ++attends;
    threads = context.threads;
    EXPECT_EQ(arguments.tiles.size(), 1u);
    EXPECT_EQ(arguments.sink, nullptr);
  }
  void attend_backward(const AttendBackwardArguments&, const KernelContext&) override {}
};
const RegisterKernel kRegistered({"recording", [] { return std::make_unique<RecordingKernel>(); }});

Attend attend_one_tile(HostProgram& host) {
  const BufferId q = host.add({Role::kQ, DType::kFp32, 1, 8, 0, 4});
  const BufferId kv = host.add({Role::kKv, DType::kFp32, 1, 8, 8, 4});
  const BufferId state = host.add({Role::kState, DType::kFp32, 1, 10, 0, 4});
  const BufferId out = host.add({Role::kOut, DType::kFp32, 1, 8, 0, 4});
  const BufferId lse = host.add({Role::kLse, DType::kFp32, 1, 1, 0, 4});
  const Tile tile{0, 4, 0, 4, -3, 3};
  return {q, kv, state, out, lse, kNoBuffer, {0, 1, 0, 0}, true, true, host.add_tiles({&tile, 1})};
}

TEST(CpuBackend, RunsAKernelAddedFromOutside) {
  HostProgram host(Problem{}, "recording", 3);
  host.run(attend_one_tile(host));
  EXPECT_EQ(RecordingKernel::attends, 1);
  EXPECT_EQ(RecordingKernel::threads, 3);
}

TEST(CpuBackend, AnUnknownKernelIsAUsageErrorThatNamesTheNearest) {
  try {
    CpuBackend backend("simpel", 1);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("simple"), std::string::npos) << error.what();
  }
}

TEST(CpuBackend, MemoryIsAligned) {
  CpuBackend backend("simple", 1);
  for (const std::int64_t bytes : {0, 1, 100, 1 << 20}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(backend.allocate(bytes)->data()) % 64, 0u) << bytes;
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(backend.allocate(5 << 20)->data()) % (2 << 20), 0u);
}

TEST(CpuBackend, MoreMemoryThanThereIsIsAPlacementError) {
  CpuBackend backend("simple", 1);
  try {
    backend.allocate(std::int64_t{1} << 60);
    FAIL() << "allocated";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kPlacement);
  }
}

TEST(CpuBackend, AnExchangeIsNotItsBusiness) {
  HostProgram host(Problem{}, "simple", 1);
  EXPECT_THROW(host.run(Exchange{}), std::logic_error);
}

class Polling : public testing::TestWithParam<std::string> {
 protected:
  /// An attention of about ten milliseconds or more.
  static Attend long_attend(HostProgram& host) {
    const std::int64_t rows = 2000;
    const BufferId q = host.add({Role::kQ, DType::kFp32, 1, 64, 0, rows});
    const BufferId kv = host.add({Role::kKv, DType::kFp32, 1, 64, 64, rows});
    const BufferId state = host.add({Role::kState, DType::kFp32, 1, 66, 0, rows});
    const Tile tile{0, rows, 0, rows, -(rows - 1), rows - 1};
    return {q, kv, state, kNoBuffer, kNoBuffer, kNoBuffer, {0, 1, 0, 0}, true, false, host.add_tiles({&tile, 1})};
  }
};
INSTANTIATE_TEST_SUITE_P(All, Polling, testing::Values("simple"),
                         [](const auto& param_info) { return param_info.param; });

TEST_P(Polling, HappensOnTheCallingThreadWhileAKernelWorks) {
  HostProgram host(Problem{}, GetParam(), 2);
  const Attend attend = long_attend(host);
  int polls = 0;
  host.run(attend, [&, caller = std::this_thread::get_id()] {
    ++polls;
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
  EXPECT_GE(polls, 2);
}

TEST_P(Polling, WhatItThrowsComesOut) {
  HostProgram host(Problem{}, GetParam(), 2);
  const Attend attend = long_attend(host);
  EXPECT_THROW(host.run(attend, [] { throw Error(ExitCode::kTimeout, "too late"); }), Error);
}

}  // namespace
}  // namespace cpbench::test
