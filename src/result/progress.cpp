#include "result/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace cpbench {

namespace {

constexpr double kShownEverySeconds = 0.1;

bool is_watched() {
  const char* said = std::getenv("CPBENCH_PROGRESS");
  if (said != nullptr && *said != '\0') return std::string_view(said) != "0";
  return ::isatty(STDERR_FILENO) == 1;
}

template <typename Time>
double seconds_since(Time time) {
  return std::chrono::duration<double>(Time::clock::now() - time).count();
}

}  // namespace

Progress::Progress(int points) : points_(points), enabled_(is_watched()) {}

void Progress::begin(std::string_view what) {
  what_ = what;
  show(what_, std::nullopt);
}

void Progress::advance(int done, int iterations) {
  if (done == 0) first_iteration_ = Clock::now();
  if (done == 0 || seconds_since(shown_) < kShownEverySeconds) return;
  show(fmt::format("{}, iteration {} of {}", what_, done, iterations),
       seconds_since(first_iteration_) / done * (iterations - done));
}

void Progress::finish() {
  ++done_;
  clear();
}

// The cursor is left in the first column: with a launcher the point's row may come before the line is cleared. What is
// beyond the last column is cut off: a second line would not be cleared.
void Progress::show(const std::string& what, std::optional<double> rest_of_point_s) {
  if (!enabled_) return;
  shown_ = Clock::now();
  clear();
  fmt::print(stderr, "\033[?7l{}\033[?7h\r",
             progress_line(done_, points_, seconds_since(start_), what, rest_of_point_s));
  std::fflush(stderr);
}

void Progress::clear() {
  if (!enabled_) return;
  fmt::print(stderr, "\r\033[K");  // to the first column, and erase to the end of the line
  std::fflush(stderr);
}

std::string progress_line(int done, int points, double elapsed_s, std::string_view what,
                          std::optional<double> rest_of_point_s) {
  std::string line = fmt::format("[{}/{}] {}", done + 1, points, what);
  const int known = done + (rest_of_point_s ? 1 : 0);
  if (known == 0) return line;
  const double rest = rest_of_point_s.value_or(0), of_known = elapsed_s + rest;
  const double left = rest + of_known / known * (points - known);
  return fmt::format("{}; {:.0f}% done, about {} left", line, std::floor(100 * elapsed_s / (elapsed_s + left)),
                     duration_text(left));
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
}

}  // namespace cpbench
