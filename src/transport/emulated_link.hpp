// A slower network than the machine has, over any transport.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "transport/link_model.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// Holds each send back for as long as a link of the model's bandwidth and latency would take. A rank has one egress
/// of each kind of link; what has arrived by it is handed to the real transport. What is due is released whenever any
/// message is started or tested, so delivery is as punctual as the polling; lateness does not add up, because the
/// link's own time is reckoned from when it was free.
class EmulatedLink : public Transport {
 public:
  using Clock = std::function<std::int64_t()>;  ///< nanoseconds, never going back

  /// `real` must outlive this. The default clock is the host's steady clock.
  EmulatedLink(Transport& real, int rank, const LinkModel& model, Clock clock = {});

  MessageId prepare(const Message& message) override;
  void start(MessageId id) override;
  bool test(MessageId id) override;

 private:
  struct Prepared {
    MessageId real;
    Link link;
    std::int64_t transmission_ns, latency_ns;
    bool delayed;
    bool held = false;
  };
  struct Held {
    MessageId id;
    std::int64_t due_ns;
  };
  /// Messages on one link come due in the order in which they were started.
  struct Way {
    Egress<std::int64_t> egress;
    std::deque<Held> held;
  };

  void release_due();
  Prepared& at(MessageId id) { return prepared_.at(static_cast<std::size_t>(id)); }

  Transport& real_;
  int rank_;
  LinkModel model_;
  Clock clock_;
  std::vector<Prepared> prepared_;
  std::array<Way, kLinks> ways_;
};

}  // namespace cpbench
