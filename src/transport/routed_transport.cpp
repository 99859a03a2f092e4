#include "transport/routed_transport.hpp"

#include <functional>
#include <utility>

namespace cpbench {

RoutedTransport::RoutedTransport(std::vector<std::unique_ptr<Transport>> parts, std::vector<std::uint8_t> part_of,
                                 DeviceQueues* queues)
    : parts_(std::move(parts)), part_of_(std::move(part_of)) {
  if (is_queued()) branches_ = queues->make_branches(parts_.size());
}

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
  std::vector<std::vector<MessageId>> messages_of(parts_.size());
  for (const MessageId id : messages) messages_of[at(id).part].push_back(at(id).id);
  std::vector<std::function<void()>> queue_part;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (messages_of[part].empty()) continue;
    queue_part.emplace_back([&, part] { parts_[part]->queue(messages_of[part], stream); });
  }
  branches_->queue(stream, queue_part);
}

void RoutedTransport::check_health() {
  for (const auto& part : parts_) part->check_health();
}

}  // namespace cpbench
