// Copies that cost nothing, as what they copy is written to its place at once, and those that must stay.
#include <gtest/gtest.h>

#include <algorithm>

#include "schedule/figures.hpp"
#include "schedule/passes.hpp"
#include "schedule/small_cases.hpp"
#include "schedule/verify.hpp"

namespace cpbench {
namespace {

int copies_in(const Program& program) {
  return static_cast<int>(
      std::ranges::count_if(program.ops, [](const Op& op) { return std::holds_alternative<Copy>(op.action); }));
}

/// Of the first rank.
int copies_of(const std::string& algorithm, const Grid& grid, DType dtype) {
  Case c = even_case(algorithm, grid, 4);
  c.problem.dtype = dtype;
  const Schedule schedule = build_schedule(c);
  EXPECT_TRUE(verify(schedule).passed) << algorithm;
  return copies_in(schedule.programs[0]);
}

TEST(DropCopies, RoundsOnlyWhatIsSummedOverSteps) {
  EXPECT_EQ(copies_of("ring", {.inner = 1}, DType::kBf16), 0);
  EXPECT_EQ(copies_of("ulysses", {.ulysses = 4}, DType::kBf16), 0);
  EXPECT_EQ(copies_of("ring", {.inner = 4}, DType::kBf16), 2);        // dq and dkv
  EXPECT_EQ(copies_of("all-gather", {.inner = 4}, DType::kBf16), 1);  // dkv: each head of dq is computed at once
}

TEST(DropCopies, SumsInTheTypeOfTheResultWhereTheResultBelongs) {
  EXPECT_EQ(copies_of("ring", {.inner = 4}, DType::kFp32), 0);
  EXPECT_EQ(copies_of("double-ring", {.outer = 2, .inner = 2}, DType::kFp32), 0);
  EXPECT_EQ(copies_of("all-gather", {.inner = 4}, DType::kFp32), 0);
}

/// A block's backward pass whose gradients are rounded: the buffers are those of the operations.
class HandBuilt : public testing::Test {
 protected:
  static constexpr std::int64_t kRows = 8;
  HandBuilt() {
    program_.owned.dq = dq_;
    program_.owned.dkv = dkv_;
    add(AttendBackward{.q = q_,
                       .kv = kv_,
                       .dout = dout_,
                       .lse = lse_,
                       .delta = delta_,
                       .dq = dq_sum_,
                       .dkv = dkv_sum_,
                       .heads = {.q_begin = 0, .count = 2, .q_global = 0, .kv_global = 0},
                       .first_dq = true,
                       .first_dkv = true,
                       .tiles = {}});
    add(Copy{.to = program_.whole(dq_), .from = program_.whole(dq_sum_)});
    add(Copy{.to = program_.whole(dkv_), .from = program_.whole(dkv_sum_)});
  }
  BufferId buffer(Role role, DType dtype, int dim_v = 0) {
    program_.buffers.push_back({.role = role, .dtype = dtype, .heads = 2, .dim = 8, .dim_v = dim_v, .rows = kRows});
    return static_cast<BufferId>(program_.buffers.size()) - 1;
  }
  static Op op(const Action& action) {
    return {.action = action, .label = {"by hand"}, .stream = Stream::kCompute, .backward = true, .after = {}};
  }
  void add(const Action& action) { program_.ops.push_back(op(action)); }
  template <typename T>
  T& action(std::size_t index) {
    return std::get<T>(program_.ops[index].action);
  }
  int copies_left() {
    drop_copies(program_);
    return copies_in(program_);
  }

  Program program_;
  BufferId q_ = buffer(Role::kQ, DType::kBf16), kv_ = buffer(Role::kKv, DType::kBf16, 8);
  BufferId dout_ = buffer(Role::kDout, DType::kBf16);
  BufferId lse_ = buffer(Role::kLse, DType::kFp32), delta_ = buffer(Role::kDelta, DType::kFp32);
  BufferId dq_sum_ = buffer(Role::kAccumulator, DType::kFp32), dkv_sum_ = buffer(Role::kAccumulator, DType::kFp32, 8);
  BufferId dq_ = buffer(Role::kDq, DType::kBf16), dkv_ = buffer(Role::kDkv, DType::kBf16, 8);
};
using DropCopiesOf = HandBuilt;

TEST_F(DropCopiesOf, ASingleAttend) {
  EXPECT_EQ(copies_left(), 0);
  ASSERT_EQ(program_.ops.size(), 1u);
  EXPECT_EQ(action<AttendBackward>(0).dq, dq_);
  EXPECT_EQ(action<AttendBackward>(0).dkv, dkv_);
}

TEST_F(DropCopiesOf, ASumOfTwoIsRoundedOnceThatIsAtItsEnd) {
  AttendBackward second = action<AttendBackward>(0);
  second.first_dq = false;
  second.dkv = kNoBuffer;
  program_.ops.insert(program_.ops.begin() + 1, op(second));
  EXPECT_EQ(copies_left(), 1);
  EXPECT_EQ(action<AttendBackward>(0).dq, dq_sum_);
  EXPECT_EQ(action<AttendBackward>(0).dkv, dkv_);
}

TEST_F(DropCopiesOf, ASumOfTwoInTheTypeOfTheResult) {
  AttendBackward second = action<AttendBackward>(0);
  second.first_dq = false;
  program_.ops.insert(program_.ops.begin() + 1, op(second));
  for (const BufferId id : {dq_, dkv_}) program_.buffers[static_cast<std::size_t>(id)].dtype = DType::kFp32;
  EXPECT_EQ(copies_left(), 0);
  EXPECT_EQ(action<AttendBackward>(1).dq, dq_);
}

TEST_F(DropCopiesOf, WhatIsReadLaterStays) {
  add(Copy{.to = program_.whole(q_), .from = program_.whole(dq_sum_)});
  EXPECT_EQ(copies_left(), 2);
}

TEST_F(DropCopiesOf, WhoseResultIsStillReadStays) {
  program_.ops.insert(program_.ops.begin(), op(Copy{.to = program_.whole(q_), .from = program_.whole(dq_)}));
  EXPECT_EQ(copies_left(), 2);  // dq is not free before its copy
}

TEST_F(DropCopiesOf, PartsStay) {
  action<Copy>(1).to.row_count = action<Copy>(1).from.row_count = kRows / 2;
  EXPECT_EQ(copies_left(), 1);
}

TEST_F(DropCopiesOf, WhatTheRankOwnsStays) {
  program_.owned.dq = dq_sum_;
  EXPECT_EQ(copies_left(), 1);
}

TEST_F(DropCopiesOf, OtherShapesStay) {
  program_.buffers[static_cast<std::size_t>(dq_sum_)].rows = 2 * kRows;  // as its memory may serve others, too
  EXPECT_EQ(copies_left(), 1);
}

TEST_F(DropCopiesOf, ACopyOfACopy) {
  const BufferId last = buffer(Role::kDq, DType::kBf16);
  program_.owned.dq = last;
  add(Copy{.to = program_.whole(last), .from = program_.whole(dq_)});
  EXPECT_EQ(copies_left(), 0);
  EXPECT_EQ(action<AttendBackward>(0).dq, last);
}

}  // namespace
}  // namespace cpbench
