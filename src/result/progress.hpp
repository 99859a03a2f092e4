// How far a sweep is, on stderr, and only where somebody watches: a terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace cpbench {

class Progress {
 public:
  /// `enabled` is false on all ranks but 0.
  Progress(int points, bool enabled);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows that a point is being run.
  void begin(std::string_view what);
  /// Counts it; the line is cleared, so that the point's row may be printed on the same terminal.
  void finish();

 private:
  void clear();

  int points_, done_ = 0;
  bool enabled_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// `[3/12] ring, 8 ranks; 25% done, about 1m 30s left`. The rest is guessed from the mean of the points that are done,
/// and not at all before the first is.
std::string progress_line(int done, int points, double elapsed_s, std::string_view what);

/// `45s`, `1m 30s`, `2h 05m`.
std::string duration_text(double seconds);

}  // namespace cpbench
