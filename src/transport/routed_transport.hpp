// One transport made of several: each message goes by the one that its peer is reached by.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "transport/transport.hpp"

namespace cpbench {

/// The parts are all driven by the host, or all by the device. There they queue their messages of an exchange one part
/// after the other, in the same order on all ranks, so that an exchange is as many that nobody waits for in a circle.
class RoutedTransport : public Transport {
 public:
  /// `part_of`: by peer, an index into `parts`; two ranks have the same of each other.
  RoutedTransport(std::vector<std::unique_ptr<Transport>> parts, std::vector<std::uint8_t> part_of);

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
  std::vector<Prepared> prepared_;
};

}  // namespace cpbench
