#include "run/in_process_job.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "run/hand_built.hpp"

namespace cpbench {
namespace {

TEST(InProcessJob, NamesWhatEachRankWaitsForWhenTheJobStandsStill) {
  ProgramWriter silent, waiting;
  const BufferId buffer = silent.buffer(), received = waiting.buffer(), result = waiting.buffer();
  silent.copy(buffer, buffer);
  waiting.copy(result, received, {waiting.exchange(Stream::kInner, {}, {{0, waiting.whole(received)}})});
  const Schedule schedule = schedule_of({silent.take(), waiting.take()});
  FakeBackend backend;
  InProcessJob job(schedule, backend);
  try {
    job.run(Pass::kForwardBackward);
    FAIL() << "rank 1 has received what nobody sent";
  } catch (const std::logic_error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("rank 0: nothing"), std::string::npos) << what;
    EXPECT_NE(what.find("rank 1: op 0 (op 0) op 1 (op 1)"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace cpbench
