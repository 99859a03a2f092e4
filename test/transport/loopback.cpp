#include "transport/loopback.hpp"

#include <cstring>
#include <stdexcept>

namespace cpbench {
namespace {

void copy_box(const TensorView& to, const TensorView& from) {
  if (to.dtype != from.dtype || !have_same_shape(to, from)) {
    throw std::logic_error("loopback: a send and its receive have boxes of different shapes");
  }
  const auto bytes = static_cast<std::size_t>(to.dim * bytes_of(to.dtype));
  for (std::int64_t b = 0; b < to.batch; ++b) {
    for (std::int64_t row = 0; row < to.rows; ++row) {
      for (std::int64_t head = 0; head < to.heads; ++head) {
        std::memcpy(to.address(b, row, head), from.address(b, row, head), bytes);
      }
    }
  }
}

void copy(const Message& to, const Message& from) {
  if (to.boxes.size() != from.boxes.size()) {
    throw std::logic_error("loopback: a send and its receive have different numbers of boxes");
  }
  for (std::size_t i = 0; i < to.boxes.size(); ++i) copy_box(to.boxes[i], from.boxes[i]);
}

}  // namespace

class LoopbackHub::Endpoint : public Transport {
 public:
  Endpoint(LoopbackHub& hub, int rank) : hub_(hub), rank_(rank) {}

  MessageId prepare(const Message& message) override {
    prepared_.push_back({message});
    return static_cast<MessageId>(prepared_.size()) - 1;
  }
  void start(MessageId id) override { hub_.start(rank_, prepared_.at(static_cast<std::size_t>(id))); }
  bool test(MessageId id) override {
    hub_.progress();
    return !prepared_.at(static_cast<std::size_t>(id)).active;
  }

 private:
  LoopbackHub& hub_;
  int rank_;
  std::deque<Prepared> prepared_;  // stable addresses
};

LoopbackHub::LoopbackHub(int ranks, int max_delay, std::uint64_t seed) : max_delay_(max_delay), random_(seed) {
  for (int rank = 0; rank < ranks; ++rank) transports_.push_back(std::make_unique<Endpoint>(*this, rank));
}

LoopbackHub::~LoopbackHub() = default;

void LoopbackHub::start(int rank, Prepared& prepared) {
  if (prepared.active) throw std::logic_error("loopback: a message was started again before it was done");
  prepared.active = true;
  const Message& message = prepared.message;
  const bool is_send = message.direction == Message::Direction::kSend;
  Channel& channel =
      channels_[is_send ? ChannelKey{rank, message.peer, message.tag} : ChannelKey{message.peer, rank, message.tag}];
  (is_send ? channel.sends : channel.receives).push_back(&prepared);
  if (channel.sends.empty() || channel.receives.empty()) return;
  const int delay = std::uniform_int_distribution<int>(0, max_delay_)(random_);
  deliveries_.push_back({channel.sends.front(), channel.receives.front(), delay});
  channel.sends.pop_front();
  channel.receives.pop_front();
}

void LoopbackHub::progress() {
  std::erase_if(deliveries_, [](Delivery& delivery) {
    if (delivery.delay-- > 0) return false;
    copy(delivery.receive->message, delivery.send->message);
    delivery.send->active = delivery.receive->active = false;
    return true;
  });
}

}  // namespace cpbench
