// Ranks of one process and one thread: for tests that run a whole job without a launcher.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include "transport/transport.hpp"

namespace cpbench {

/// Joins `ranks` transports. A message is delivered, and both ends are done, only after both have been started: nothing
/// is buffered, so that a schedule that relies on buffering stands still here. With `max_delay`, a delivery comes a
/// random number of calls of test() later, up to max_delay, so that messages overtake each other.
class LoopbackHub {
 public:
  explicit LoopbackHub(int ranks, int max_delay = 0, std::uint64_t seed = 0);
  ~LoopbackHub();
  LoopbackHub(const LoopbackHub&) = delete;
  LoopbackHub& operator=(const LoopbackHub&) = delete;

  Transport& transport(int rank) { return *transports_[static_cast<std::size_t>(rank)]; }

 private:
  class Endpoint;
  struct Prepared {
    Message message;
    bool active = false;
  };
  /// Started messages of one sender, receiver and tag that have no partner yet, in order.
  struct Channel {
    std::deque<Prepared*> sends, receives;
  };
  struct Delivery {
    Prepared *send, *receive;
    int delay;
  };
  using ChannelKey = std::tuple<int, int, int>;

  void start(int rank, Prepared& prepared);
  void progress();

  int max_delay_;
  std::mt19937_64 random_;
  std::map<ChannelKey, Channel> channels_;
  std::vector<Delivery> deliveries_;
  std::vector<std::unique_ptr<Transport>> transports_;
};

}  // namespace cpbench
