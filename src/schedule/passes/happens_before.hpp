// Which operations are surely done before which others start.
#pragma once

#include <array>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

/// Vector clocks over the streams of a program: streams are chains, so one entry each is exact.
class HappensBefore {
 public:
  explicit HappensBefore(std::size_t ops) { clocks_.reserve(ops); }

  /// Appends the next operation of the program, ordered after the one before it on its stream and after `dependencies`.
  template <typename Dependencies>
  void append(Stream stream, const Dependencies& dependencies) {
    Clock clock = clock_before(stream);
    for (const OpId d : dependencies) join(clock, d);
    const auto id = static_cast<OpId>(clocks_.size());
    streams_.push_back(stream);
    clocks_.push_back(clock);
    last_[index(stream)] = id;
  }

  Stream stream_of(OpId id) const { return streams_[at(id)]; }

  /// `earlier` is done before `later` starts.
  bool operator()(OpId earlier, OpId later) const { return holds(clocks_[at(later)], earlier); }
  /// `earlier` would be done before an operation on `stream` appended now, without dependencies, starts.
  bool implied(OpId earlier, Stream stream) const { return holds(clock_before(stream), earlier); }
  bool implied(OpId earlier, OpId by) const { return earlier == by || holds(clocks_[at(by)], earlier); }

 private:
  using Clock = std::array<OpId, kStreams>;  ///< by stream: the last operation that is done, -1 for none
  static std::size_t index(Stream s) { return static_cast<std::size_t>(s); }
  static std::size_t at(OpId id) { return static_cast<std::size_t>(id); }

  bool holds(const Clock& clock, OpId earlier) const { return clock[index(streams_[at(earlier)])] >= earlier; }
  void join(Clock& clock, OpId done) const {
    for (std::size_t s = 0; s < kStreams; ++s) clock[s] = std::max(clock[s], clocks_[at(done)][s]);
    OpId& own = clock[index(streams_[at(done)])];
    own = std::max(own, done);
  }
  Clock clock_before(Stream stream) const {
    Clock clock;
    clock.fill(-1);
    if (last_[index(stream)] >= 0) join(clock, last_[index(stream)]);
    return clock;
  }

  std::vector<Clock> clocks_;
  std::vector<Stream> streams_;
  std::array<OpId, kStreams> last_ = {-1, -1, -1, -1};
};

}  // namespace cpbench
