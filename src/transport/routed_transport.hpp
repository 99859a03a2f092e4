// One transport made of several: each message goes by the one that its peer is reached by.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/device_queues.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// The parts are all driven by the host, or all by the device. There their messages of an exchange are queued side by
/// side: at a node's edge a hop is received by one part and sent on by another, and neither waits. All ranks queue the
/// parts in one order, so that a device which has too few queues, and does them one after the other, waits in no
/// circle.
class RoutedTransport : public Transport {
 public:
  /// `part_of`: by peer, an index into `parts`; two ranks have the same of each other. `queues`: the device's, which
  /// must outlive it, where that drives them.
  RoutedTransport(std::vector<std::unique_ptr<Transport>> parts, std::vector<std::uint8_t> part_of,
                  DeviceQueues* queues);

  MessageId prepare(const Message& message) override;
  void connect() override;
  void start(MessageId id) override;
  bool test(MessageId id) override;
  bool is_queued() const override { return parts_.front()->is_queued(); }
  void queue(std::span<const MessageId> messages, Stream stream) override;
  void check_health() override;

 private:
  struct Prepared {
    std::uint8_t part;
    MessageId id;  ///< there
  };
  const Prepared& at(MessageId id) const { return prepared_.at(static_cast<std::size_t>(id)); }

  std::vector<std::unique_ptr<Transport>> parts_;
  std::vector<std::uint8_t> part_of_;
  std::unique_ptr<DeviceBranches> branches_;  ///< null where the host drives the parts
  std::vector<Prepared> prepared_;
};

}  // namespace cpbench
