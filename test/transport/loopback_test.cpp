#include "transport/loopback.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "transport/tensor_block.hpp"

namespace cpbench {
namespace {

Message send_to(int peer, int tag, std::vector<TensorView> boxes) {
  return {Message::Direction::kSend, peer, tag, Link::kInner, Stream::kInner, std::move(boxes)};
}
Message receive_from(int peer, int tag, std::vector<TensorView> boxes) {
  return {Message::Direction::kReceive, peer, tag, Link::kInner, Stream::kInner, std::move(boxes)};
}
TensorBlock block(float first) { return {Layout::kBshd, 2, 4, 3, 8, 16, first}; }

TEST(Message, CountsTheBytesOfAllBoxes) {
  const TensorBlock kv = block(0);
  EXPECT_EQ(send_to(0, 0, kv.box(1, 2, 0, 2)).bytes(), 2 * 2 * 2 * (8 + 16) * 4);
}

TEST(Loopback, DeliversWhenBothEndsHaveStarted) {
  LoopbackHub hub(2);
  const TensorBlock from = block(1000);
  const TensorBlock to = block(0);
  Transport &sender = hub.transport(0), &receiver = hub.transport(1);
  const auto send = sender.prepare(send_to(1, 7, from.box(1, 2, 0, 2)));
  const auto receive = receiver.prepare(receive_from(0, 7, to.box(2, 2, 1, 2)));

  sender.start(send);
  EXPECT_FALSE(sender.test(send));
  receiver.start(receive);
  EXPECT_TRUE(receiver.test(receive));
  EXPECT_TRUE(sender.test(send));
  EXPECT_EQ(elements_of(to.box(2, 2, 1, 2)), elements_of(from.box(1, 2, 0, 2)));
  EXPECT_EQ(to.data[0], 0);  // outside the box
}

TEST(Loopback, MatchesInStartingOrderAndByTag) {
  LoopbackHub hub(1);
  Transport& self = hub.transport(0);
  const TensorBlock a = block(0), b = block(1000), c = block(2000);
  const TensorBlock first = block(-1), second = block(-1), other = block(-1);
  const auto prepare_all = [&](auto make, std::initializer_list<std::pair<int, const TensorBlock*>> items) {
    std::vector<Transport::MessageId> ids;
    for (const auto& [tag, kv] : items) ids.push_back(self.prepare(make(0, tag, kv->whole())));
    return ids;
  };
  std::vector<Transport::MessageId> ids = prepare_all(send_to, {{1, &a}, {2, &c}, {1, &b}});
  for (const auto id : prepare_all(receive_from, {{2, &other}, {1, &first}, {1, &second}})) ids.push_back(id);
  for (int iteration = 0; iteration < 2; ++iteration) {
    for (const auto id : ids) self.start(id);
    for (const auto id : ids) EXPECT_TRUE(self.test(id));
  }
  EXPECT_EQ(first.data, a.data);
  EXPECT_EQ(second.data, b.data);
  EXPECT_EQ(other.data, c.data);
}

TEST(Loopback, DelaysLetMessagesOvertake) {
  constexpr int kMessages = 20;
  LoopbackHub hub(1, 10, 3);
  Transport& self = hub.transport(0);
  const TensorBlock from = block(0), to = block(0);
  std::vector<Transport::MessageId> receives;
  for (int tag = 0; tag < kMessages; ++tag) {
    const auto send = self.prepare(send_to(0, tag, from.whole()));
    receives.push_back(self.prepare(receive_from(0, tag, to.whole())));
    self.start(send);
    self.start(receives.back());
  }
  bool overtaken = false, all_done = false;
  for (int polls = 0; !all_done && polls < 10 * kMessages; ++polls) {
    bool earlier_pending = false;
    for (const auto id : receives) {
      const bool done = self.test(id);
      overtaken |= done && earlier_pending;
      earlier_pending |= !done;
    }
    all_done = !earlier_pending;
  }
  EXPECT_TRUE(all_done);
  EXPECT_TRUE(overtaken);
}

TEST(Loopback, RefusesMisuse) {
  LoopbackHub hub(1);
  Transport& self = hub.transport(0);
  const TensorBlock kv = block(0);
  const auto send = self.prepare(send_to(0, 0, kv.whole()));
  const auto receive = self.prepare(receive_from(0, 0, kv.box(0, 1, 0, 3)));
  self.start(send);
  EXPECT_THROW(self.start(send), std::logic_error);
  self.start(receive);
  EXPECT_THROW(self.test(receive), std::logic_error) << "shapes differ";
}

}  // namespace
}  // namespace cpbench
