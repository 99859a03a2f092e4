#include "result/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>

namespace cpbench {

Progress::Progress(int points, bool enabled) : points_(points), enabled_(enabled && ::isatty(STDERR_FILENO) == 1) {}

void Progress::begin(std::string_view what) {
  if (!enabled_) return;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  clear();
  fmt::print(stderr, "{}", progress_line(done_, points_, elapsed.count(), what));
  std::fflush(stderr);
}

void Progress::finish() {
  ++done_;
  clear();
}

void Progress::clear() {
  if (!enabled_) return;
  fmt::print(stderr, "\r\033[K");  // to the first column, and erase to the end of the line
  std::fflush(stderr);
}

std::string progress_line(int done, int points, double elapsed_s, std::string_view what) {
  std::string line = fmt::format("[{}/{}] {}", done + 1, points, what);
  if (done > 0) {
    line += fmt::format("; {}% done, about {} left", 100 * done / points,
                        duration_text(elapsed_s / done * (points - done)));
  }
  return line;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
}

}  // namespace cpbench
