#include "result/progress.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace cpbench {
namespace {

TEST(Progress, GuessesTheRestFromTheMean) {
  EXPECT_EQ(progress_line(3, 12, 30, "ring"), "[4/12] ring; 25% done, about 1m 30s left");
}

TEST(Progress, GuessesNothingBeforeTheFirstPoint) { EXPECT_EQ(progress_line(0, 12, 5, "ring"), "[1/12] ring"); }

TEST(Progress, GuessesTheRestFromTheIterationsOfThePresentPoint) {
  // Alone it takes 20 s more; of three points, each like it takes 40 s.
  EXPECT_EQ(progress_line(0, 1, 20, "ring", 20), "[1/1] ring; 50% done, about 20s left");
  EXPECT_EQ(progress_line(0, 3, 20, "ring", 20), "[1/3] ring; 16% done, about 1m 40s left");
  EXPECT_EQ(progress_line(1, 3, 80, "ring", 10), "[2/3] ring; 59% done, about 55s left");
}

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(0.4), "0s");
  EXPECT_EQ(duration_text(59.4), "59s");
  EXPECT_EQ(duration_text(59.6), "1m 00s");
  EXPECT_EQ(duration_text(3599), "59m 59s");
  EXPECT_EQ(duration_text(2 * 3600 + 5 * 60), "2h 05m");
}

/// What a Progress writes to a stderr that is `descriptor`; `readable` is its other end.
std::string written_to(int descriptor, int readable) {
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(descriptor, STDERR_FILENO);
  {
    Progress progress(2);
    progress.begin("ring");
    progress.advance(0, 8);
    progress.advance(1, 8);  // too soon to be shown
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    progress.advance(2, 8);
    progress.finish();
  }
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  // An end, so that the read returns where nothing was written.
  EXPECT_EQ(::write(descriptor, "\n", 1), 1);
  std::string text;
  for (char c = 0; ::read(readable, &c, 1) == 1 && c != '\n';) text += c;
  return text;
}

TEST(Progress, IsShownOnATerminalOnly) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ::unsetenv("CPBENCH_PROGRESS");
  EXPECT_EQ(written_to(pipe[1], pipe[0]), "");
  ::setenv("CPBENCH_PROGRESS", "1", 1);  // a launcher's pipe to a terminal
  EXPECT_NE(written_to(pipe[1], pipe[0]).find("[1/2] ring"), std::string::npos);
  ::unsetenv("CPBENCH_PROGRESS");
  int terminal = 0, user = 0;
  if (::openpty(&user, &terminal, nullptr, nullptr, nullptr) != 0) GTEST_SKIP() << "no terminal is to be had here";
  const std::string shown = written_to(terminal, user);
  EXPECT_NE(shown.find("[1/2] ring"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("iteration 1 of 8"), std::string::npos) << shown;
  EXPECT_NE(shown.find("[1/2] ring, iteration 2 of 8; "), std::string::npos) << shown;
  // Cleared at the end.
  EXPECT_GT(shown.rfind("\r\033[K"), shown.find("[1/2] ring")) << shown;
  ::setenv("CPBENCH_PROGRESS", "0", 1);
  EXPECT_EQ(written_to(terminal, user).find("ring"), std::string::npos);
  ::unsetenv("CPBENCH_PROGRESS");
  for (int descriptor : {pipe[0], pipe[1], terminal, user}) ::close(descriptor);
}

}  // namespace
}  // namespace cpbench
