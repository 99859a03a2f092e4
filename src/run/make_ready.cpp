#include "run/make_ready.hpp"

namespace cpbench {

std::string make_ready(const Communicator& ranks, DeviceQueues* queues, std::span<Executor* const> executors,
                       Pass pass) {
  for (Executor* executor : executors) executor->make_ready(pass);
  if (queues == nullptr) return "";
  std::string obstacle = ranks.first_nonempty(queues->graph_obstacle());
  if (obstacle.empty()) return obstacle;
  queues->forgo_graphs();
  for (Executor* executor : executors) executor->forget_graphs();
  return obstacle;
}

}  // namespace cpbench
