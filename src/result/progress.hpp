// How far a sweep is, on stderr, and only where somebody watches: a terminal, or where CPBENCH_PROGRESS says that
// stderr ends at one (the launcher's; a rank has a pipe). CPBENCH_PROGRESS=0 shows nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cpbench {

class Progress {
 public:
  /// Of rank 0: others have none.
  explicit Progress(int points);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows that a point is being run.
  void begin(std::string_view what);
  /// So many of its iterations are done. Begins with 0; what follows within a tenth of a second is not shown.
  void advance(int done, int iterations);
  /// Counts it; the line is cleared, so that the point's row may be printed on the same terminal.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& what, std::optional<double> rest_of_point_s);
  void clear();

  int points_, done_ = 0;
  bool enabled_;
  std::string what_;
  Clock::time_point start_ = Clock::now(), first_iteration_, shown_;
};

/// `[3/12] ring, 8 ranks; 25% done, about 1m 30s left`. The rest is guessed from the mean of the points that are done
/// and of the present one, where it is known how long it takes still; where neither is known nothing is guessed.
std::string progress_line(int done, int points, double elapsed_s, std::string_view what,
                          std::optional<double> rest_of_point_s = std::nullopt);

/// `45s`, `1m 30s`, `2h 05m`.
std::string duration_text(double seconds);

}  // namespace cpbench
