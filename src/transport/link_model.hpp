// What `run --emulate-link` and `plan --links` describe: the speed of each kind of link, and how messages share it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schedule/program.hpp"

namespace cpbench {

/// A link of which nothing is said is as fast as the machine makes it.
struct LinkModel {
  struct Speed {
    double bytes_per_second;
    double latency_s = 0;
    bool operator==(const Speed&) const = default;
  };
  std::array<std::optional<Speed>, kLinks> speeds;  ///< by Link
  /// 0: a message uses the link of its kind of edge. Else ranks are placed on nodes in order, this many each, and a
  /// message uses the inner link within a node and the outer one between nodes, whatever its edge: a plain ring crosses
  /// nodes too.
  int ranks_per_node = 0;

  Link link_of(Link edge, int rank, int peer) const {
    if (ranks_per_node == 0) return edge;
    return rank / ranks_per_node == peer / ranks_per_node ? Link::kInner : Link::kOuter;
  }

  const std::optional<Speed>& of(Link link) const { return speeds[static_cast<std::size_t>(link)]; }

  /// Of a message over `edge`; none where it takes no time: from a rank to itself, and on a link of which nothing is
  /// said.
  std::optional<Speed> speed_of(Link edge, int rank, int peer) const {
    return peer == rank ? std::nullopt : of(link_of(edge, rank, peer));
  }
  bool operator==(const LinkModel&) const = default;
};

/// A rank's way out by one kind of link: what it sends occupies that for bytes / bandwidth, one message after the
/// other, and arrives a latency later. Starts never go back in time.
template <typename Time>
class Egress {
 public:
  /// When a message that is started `now` has arrived.
  Time send(Time now, Time transmission, Time latency) {
    free_ = std::max(free_, now) + transmission;
    return free_ + latency;
  }

 private:
  Time free_ = 0;
};

/// Parses `GB/s[:us]` for every link, as in `25:2`, or a list by link, as in `inner=200,outer=25:2`. GB are 1e9 bytes.
/// Throws a usage error that quotes what is wrong, without a flag: see naming.hpp.
LinkModel parse_link_model(std::string_view text);
/// The inverse of parse_link_model; empty for a model that says nothing.
std::string to_string(const LinkModel& model);

}  // namespace cpbench
