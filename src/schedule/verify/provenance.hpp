// Which operations contributed to a computed value: a graph in which every value is a node.
#pragma once

#include <cstdint>
#include <deque>

#include "schedule/verify/row_maps.hpp"

namespace cpbench::verification {

using EventId = std::uint32_t;
using NodeId = std::uint32_t;
inline constexpr NodeId kNothing = 0;  ///< the node without contributions

/// An Attend, AttendBackward or SinkGradient, and the tokens of its operands' rows at that time.
struct Event {
  std::int32_t rank;
  OpId op;
  RowMapId rows, keys;
};

/// What `event` adds to `left`, or, without an event, left + right. A node speaks of all rows and heads that took part;
/// who holds a piece knows which ones it has. So pieces need no nodes of their own, and a ring's P^2 steps make P^2
/// nodes.
struct Node {
  static constexpr EventId kNoEvent = ~EventId{0};
  NodeId left, right;
  EventId event;
};

class Provenance {
 public:
  EventId add(const Event& event) {
    events_.push_back(event);
    return static_cast<EventId>(events_.size()) - 1;
  }
  NodeId contribute(EventId event, NodeId to) { return add(Node{to, kNothing, event}); }
  NodeId sum(NodeId a, NodeId b) { return a == kNothing ? b : b == kNothing ? a : add(Node{a, b, Node::kNoEvent}); }

  const Event& event(EventId id) const { return events_[id]; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  std::size_t node_count() const { return nodes_.size(); }

 private:
  NodeId add(const Node& node) {
    nodes_.push_back(node);
    return static_cast<NodeId>(nodes_.size()) - 1;
  }

  std::deque<Event> events_;  // there may be a hundred million: a vector would need three times their memory to grow
  std::deque<Node> nodes_{Node{kNothing, kNothing, Node::kNoEvent}};
};

}  // namespace cpbench::verification
