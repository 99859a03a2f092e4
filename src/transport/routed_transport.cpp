#include "transport/routed_transport.hpp"

#include <utility>

namespace cpbench {

RoutedTransport::RoutedTransport(std::vector<std::unique_ptr<Transport>> parts, std::vector<std::uint8_t> part_of)
    : parts_(std::move(parts)), part_of_(std::move(part_of)) {}

Transport::MessageId RoutedTransport::prepare(const Message& message) {
  const std::uint8_t part = part_of_.at(static_cast<std::size_t>(message.peer));
  prepared_.push_back({part, parts_.at(part)->prepare(message)});
  return static_cast<MessageId>(prepared_.size()) - 1;
}

void RoutedTransport::connect() {
  for (const auto& part : parts_) part->connect();
}

void RoutedTransport::start(MessageId id) { parts_[at(id).part]->start(at(id).id); }

bool RoutedTransport::test(MessageId id) { return parts_[at(id).part]->test(at(id).id); }

void RoutedTransport::queue(std::span<const MessageId> messages, Stream stream) {
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    std::vector<MessageId> its;
    for (const MessageId id : messages) {
      if (at(id).part == part) its.push_back(at(id).id);
    }
    if (!its.empty()) parts_[part]->queue(its, stream);
  }
}

void RoutedTransport::check_health() {
  for (const auto& part : parts_) part->check_health();
}

}  // namespace cpbench
