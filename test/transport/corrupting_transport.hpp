// A link that loses a bit now and then.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "transport/transport.hpp"

namespace cpbench {

/// What rank `from` sends to rank `to` arrives with one bit wrong, in byte `byte` of its first box; shorter messages
/// arrive as they are.
class CorruptingTransport : public Transport {
 public:
  struct Defect {
    int from, to;
    std::int64_t byte;
  };
  CorruptingTransport(std::unique_ptr<Transport> real, int rank, Defect defect)
      : real_(std::move(real)), rank_(rank), defect_(defect) {}

  MessageId prepare(const Message& message) override {
    messages_.push_back(message);
    return real_->prepare(message);
  }
  void start(MessageId id) override { real_->start(id); }
  bool test(MessageId id) override {
    if (!real_->test(id)) return false;
    const Message& message = messages_.at(static_cast<std::size_t>(id));
    const bool is_hit = message.direction == Message::Direction::kReceive && message.peer == defect_.from &&
                        rank_ == defect_.to && message.bytes() > defect_.byte;
    if (is_hit) message.boxes.front().data[defect_.byte] ^= std::byte{1};
    return true;
  }

 private:
  std::unique_ptr<Transport> real_;
  int rank_;
  Defect defect_;
  std::vector<Message> messages_;
};

}  // namespace cpbench
