// What is made useless before a run that must make it anew.
#include "run/poison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "run/hand_built.hpp"

namespace cpbench {
namespace {

bool is_nan(float value) { return std::isnan(value); }

TEST(Poison, IsNanInWhatTheRunMakesAndZeroWhereRowsAreLoadedThatNothingWrites) {
  ProgramWriter writer;
  const BufferId own = writer.buffer(), received = writer.buffer(), partly = writer.buffer(), unread = writer.buffer();
  const BufferId result = writer.buffer();
  const auto first_row = [&](BufferId id) {
    Region row = writer.whole(id);
    row.row_count = 1;
    return row;
  };
  const OpId exchange =
      writer.exchange(Stream::kInner, {{0, writer.whole(own)}, {0, first_row(own)}, {0, first_row(own)}},
                      {{0, writer.whole(received)}, {0, first_row(partly)}, {0, first_row(unread)}});
  writer.copy(result, received, {exchange});
  writer.sum(result, partly, {exchange});
  const Schedule schedule = schedule_of({writer.take()});

  FakeBackend backend;
  const BufferSet buffers(schedule.of.problem, schedule.programs[0], backend);
  const ProgramMemory memory = buffers.memory_of(schedule.programs[0]);
  const BufferId all[] = {own, received, partly, unread, result};
  for (const BufferId id : all) std::ranges::fill(floats_of(memory, id), 1.0f);
  poison(memory, Pass::kForwardBackward, backend);
  const auto is = [](float value) { return [value](float element) { return element == value; }; };
  EXPECT_TRUE(std::ranges::all_of(floats_of(memory, own), is(1)));
  EXPECT_TRUE(std::ranges::all_of(floats_of(memory, received), is_nan));
  EXPECT_TRUE(std::ranges::all_of(floats_of(memory, partly), is(0)));
  EXPECT_TRUE(std::ranges::all_of(floats_of(memory, unread), is_nan));
  EXPECT_TRUE(std::ranges::all_of(floats_of(memory, result), is_nan));
}

}  // namespace
}  // namespace cpbench
