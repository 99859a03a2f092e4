// From the times of messages to the two figures of a link.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace cpbench {

/// How long a message of so many bytes takes, over repetitions.
struct MessageTime {
  std::int64_t bytes;
  double min_s, median_s;
};

struct LinkFigures {
  std::optional<double> bytes_per_second;  ///< none where the largest message takes no longer than the smallest
  double latency_s = 0;
};

/// The latency is the time of the smallest message, whose bytes are taken for none, divided by how many latencies that
/// holds; the bandwidth what the largest has more of bytes over what it takes longer. Both times are the least of all
/// repetitions: what disturbs a host makes a message longer and never shorter, so one repetition that was left alone is
/// enough, where a median needs more than half of them. Sizes between the two, at which a transport may change its
/// protocol, do not bend the line.
/// `times`: at least one.
LinkFigures figures_of_link(std::span<const MessageTime> times, int latencies = 1);

}  // namespace cpbench
