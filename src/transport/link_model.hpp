// What `--emulate-link` describes: the speed of each kind of link.
#pragma once

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
  bool operator==(const LinkModel&) const = default;
};

/// Parses `GB/s[:us]` for every link, as in `25:2`, or a list by link, as in `inner=200,outer=25:2`. GB are 1e9 bytes.
/// Throws a usage error that names the text.
LinkModel parse_link_model(std::string_view text);
/// The inverse of parse_link_model; empty for a model that says nothing.
std::string to_string(const LinkModel& model);

}  // namespace cpbench
