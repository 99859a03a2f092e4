#include "transport/emulated_link.hpp"

#include <cmath>
#include <utility>

#include "support/clock.hpp"

namespace cpbench {
namespace {

std::int64_t to_ns(double seconds) { return std::llround(seconds * 1e9); }

}  // namespace

EmulatedLink::EmulatedLink(Transport& real, int rank, const LinkModel& model, Clock clock)
    : real_(real), rank_(rank), model_(model), clock_(clock ? std::move(clock) : Clock(now_ns)) {}

Transport::MessageId EmulatedLink::prepare(const Message& message) {
  const auto speed = model_.speed_of(message.link, rank_, message.peer);
  const bool delayed = speed && message.direction == Message::Direction::kSend;
  prepared_.push_back(
      {.real = real_.prepare(message),
       .link = model_.link_of(message.link, rank_, message.peer),
       .transmission_ns = delayed ? to_ns(static_cast<double>(message.bytes()) / speed->bytes_per_second) : 0,
       .latency_ns = delayed ? to_ns(speed->latency_s) : 0,
       .delayed = delayed});
  return static_cast<MessageId>(prepared_.size()) - 1;
}

void EmulatedLink::start(MessageId id) {
  release_due();
  Prepared& message = at(id);
  if (!message.delayed) return real_.start(message.real);
  Way& way = ways_[static_cast<std::size_t>(message.link)];
  way.held.push_back({id, way.egress.send(clock_(), message.transmission_ns, message.latency_ns)});
  message.held = true;
}

bool EmulatedLink::test(MessageId id) {
  release_due();
  return !at(id).held && real_.test(at(id).real);
}

void EmulatedLink::release_due() {
  const std::int64_t now = clock_();
  for (Way& way : ways_) {
    while (!way.held.empty() && way.held.front().due_ns <= now) {
      Prepared& message = at(way.held.front().id);
      way.held.pop_front();
      message.held = false;
      real_.start(message.real);
    }
  }
}

}  // namespace cpbench
