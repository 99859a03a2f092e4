#include "runtime/capture.hpp"

#include <algorithm>
#include <set>

#include "runtime/engine.hpp"

namespace cpbench::vgpu {
namespace {

class Marker : public Action {
 public:
  explicit Marker(const char* name) : name_(name) {}
  void begin(const Operation&) override {}
  std::string describe() const override { return name_; }

 private:
  const char* name_;
};

}  // namespace

std::shared_ptr<Action> make_marker(const char* name) { return std::make_shared<Marker>(name); }

std::size_t Capture::index_of(const Stream& stream) const {
  return static_cast<std::size_t>(std::find(streams_.begin(), streams_.end(), &stream) - streams_.begin());
}

std::size_t Capture::join(Stream& stream) {
  const std::size_t index = index_of(stream);
  if (index == streams_.size()) {
    streams_.push_back(&stream);
    frontiers_.emplace_back();
  }
  return index;
}

void Capture::add(Stream& stream, std::shared_ptr<Action> action) {
  const std::size_t index = join(stream);
  nodes_.push_back({std::move(action), index, frontiers_[index]});
  frontiers_[index] = {nodes_.size() - 1};
}

std::vector<Capture::Node> Capture::frontier(const Stream& stream) const {
  const std::size_t index = index_of(stream);
  return index < frontiers_.size() ? frontiers_[index] : std::vector<Node>{};
}

void Capture::wait(Stream& stream, const std::vector<Node>& nodes) {
  auto& frontier = frontiers_[join(stream)];
  frontier.insert(frontier.end(), nodes.begin(), nodes.end());
}

bool Capture::is_joined() const {
  std::set<Node> reached;
  std::vector<Node> open = frontier(*origin_);
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    if (!reached.insert(node).second) continue;
    open.insert(open.end(), nodes_[node].after.begin(), nodes_[node].after.end());
  }
  return reached.size() == nodes_.size();
}

void Capture::launch(Stream& stream, std::vector<Stream*>& own_streams) const {
  while (own_streams.size() < streams_.size()) {
    own_streams.push_back(&engine().find(engine().create_stream(false, stream.priority)));
  }
  const OperationPtr begin = engine().enqueue(stream, make_marker("the begin of a graph"));
  std::vector<OperationPtr> queued;
  for (const Captured& node : nodes_) {
    std::vector<OperationPtr> after = {begin};
    for (const Node before : node.after) after.push_back(queued[before]);
    queued.push_back(engine().enqueue(*own_streams[node.stream], node.action, std::move(after)));
  }
  engine().enqueue(stream, make_marker("the end of a graph"), queued);
}

}  // namespace cpbench::vgpu
