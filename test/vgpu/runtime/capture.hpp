// Graphs, made by capturing streams.
#pragma once

#include <memory>
#include <vector>

#include "runtime/operation.hpp"

namespace cpbench::vgpu {

/// What is captured: actions, and which of them each comes after.
class Capture {
 public:
  using Node = std::size_t;

  explicit Capture(Stream& origin) : origin_(&origin) {}

  void add(Stream& stream, std::shared_ptr<Action> action);
  /// The nodes that the next one of the stream comes after.
  std::vector<Node> frontier(const Stream& stream) const;
  /// What the stream captures next comes after these too: it waits for an event.
  void wait(Stream& stream, const std::vector<Node>& nodes);
  /// Streams that joined by waiting for an event.
  const std::vector<Stream*>& streams() const { return streams_; }
  Stream& origin() const { return *origin_; }
  /// Whether everything captured comes before the origin's end.
  bool is_joined() const;

  /// Queues all actions behind what `stream` holds; what it holds next comes after them. `streams` are the graph's own,
  /// made as they are needed.
  void launch(Stream& stream, std::vector<Stream*>& own_streams) const;

 private:
  struct Captured {
    std::shared_ptr<Action> action;
    std::size_t stream;  ///< index in streams_
    std::vector<Node> after;
  };
  std::size_t index_of(const Stream& stream) const;
  std::size_t join(Stream& stream);

  Stream* origin_;
  std::vector<Stream*> streams_;
  std::vector<std::vector<Node>> frontiers_;  ///< by index in streams_
  std::vector<Captured> nodes_;
};

/// An action that does nothing: an event's place, or where a graph begins and ends.
std::shared_ptr<Action> make_marker(const char* name);

}  // namespace cpbench::vgpu
