#include "transport/emulated_link.hpp"

#include <gtest/gtest.h>

#include "transport/loopback.hpp"
#include "transport/tensor_block.hpp"

namespace cpbench {
namespace {

/// Rank 0 sends to rank 1 over a link of 1 byte per ns and 100 ns latency, watched by a clock that the test sets.
class EmulatedLinkTest : public testing::Test {
 protected:
  static constexpr std::int64_t kBytes = 4 * 2 * (8 + 8) * 4;  // of the block: 512 ns

  Transport::MessageId prepare_pair(Link link, int tag) {
    receives_.push_back(
        hub_.transport(1).prepare({Message::Direction::kReceive, 0, tag, link, Stream::kInner, to_.whole()}));
    hub_.transport(1).start(receives_.back());
    return link_.prepare({Message::Direction::kSend, 1, tag, link, Stream::kInner, from_.whole()});
  }
  bool arrived(std::size_t index) { return hub_.transport(1).test(receives_[index]); }

  std::int64_t now_ = 1000;
  LoopbackHub hub_{2};
  TensorBlock from_{Layout::kBshd, 1, 4, 2, 8, 8, 1}, to_{Layout::kBshd, 1, 4, 2, 8, 8, 0};
  EmulatedLink link_{hub_.transport(0), 0, parse_link_model("inner=1:0.1,outer=1:0.1"), [this] { return now_; }};
  std::vector<Transport::MessageId> receives_;
};

TEST_F(EmulatedLinkTest, ReleasesASendAfterTransmissionAndLatency) {
  const auto send = prepare_pair(Link::kInner, 0);
  link_.start(send);
  now_ += kBytes + 99;
  EXPECT_FALSE(link_.test(send));
  EXPECT_FALSE(arrived(0));
  now_ += 1;
  EXPECT_TRUE(link_.test(send));
  EXPECT_TRUE(arrived(0));
  EXPECT_EQ(to_.data, from_.data);
}

TEST_F(EmulatedLinkTest, ALinkCarriesOneMessageAfterTheOther) {
  const auto first = prepare_pair(Link::kInner, 0), second = prepare_pair(Link::kInner, 1);
  link_.start(first);
  now_ += 10;
  link_.start(second);
  now_ = 1000 + 2 * kBytes + 99;
  EXPECT_TRUE(link_.test(first));
  EXPECT_FALSE(link_.test(second));
  now_ += 1;
  EXPECT_TRUE(link_.test(second)) << "latencies overlap, transmissions do not";
}

TEST_F(EmulatedLinkTest, LinksOfDifferentKindsDoNotShareBandwidth) {
  const auto inner = prepare_pair(Link::kInner, 0), outer = prepare_pair(Link::kOuter, 1);
  link_.start(inner);
  link_.start(outer);
  now_ += kBytes + 100;
  EXPECT_TRUE(link_.test(inner));
  EXPECT_TRUE(link_.test(outer));
}

TEST_F(EmulatedLinkTest, PollingAnyMessageReleasesAll) {
  const auto first = prepare_pair(Link::kInner, 0), second = prepare_pair(Link::kOuter, 1);
  link_.start(first);
  link_.start(second);
  now_ += kBytes + 100;
  EXPECT_TRUE(link_.test(first));
  EXPECT_TRUE(arrived(1));
}

TEST_F(EmulatedLinkTest, ReceivesSelfSendsAndUnnamedLinksAreNotDelayed) {
  const auto unnamed = prepare_pair(Link::kAllToAll, 0);
  link_.start(unnamed);
  EXPECT_TRUE(link_.test(unnamed));
  const auto self_send = link_.prepare({Message::Direction::kSend, 0, 5, Link::kInner, Stream::kInner, from_.whole()});
  const auto self_receive =
      link_.prepare({Message::Direction::kReceive, 0, 5, Link::kInner, Stream::kInner, to_.whole()});
  link_.start(self_receive);
  link_.start(self_send);
  EXPECT_TRUE(link_.test(self_receive));
}

TEST_F(EmulatedLinkTest, CanBeStartedAgain) {
  const auto send = prepare_pair(Link::kInner, 0);
  link_.start(send);
  now_ += 10'000;
  EXPECT_TRUE(link_.test(send));
  hub_.transport(1).start(receives_[0]);
  link_.start(send);
  EXPECT_FALSE(link_.test(send));
  now_ += kBytes + 100;
  EXPECT_TRUE(link_.test(send)) << "an idle link has no debt and no credit";
}

}  // namespace
}  // namespace cpbench
