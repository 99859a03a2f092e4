// Messages of many chunks: one rank with itself, so that the virtual GPU sees both ends.
#include "transport/cuda/staged_transport.hpp"

#include <gtest/gtest.h>

#include "vgpu/support/orders.hpp"
#include "vgpu/transport/device_box.hpp"

namespace cpbench {
namespace {

constexpr int kRows = 23;

using Messages = std::vector<Transport::MessageId>;

void run(Transport& transport, const Messages& messages) {
  for (const Transport::MessageId id : messages) transport.start(id);
  for (const Transport::MessageId id : messages) {
    while (!transport.test(id)) {
    }
  }
}

TEST(Staged, ChunksOfAMessageShareAFewSlots) {
  vgpu::in_every_order(
      [] {
        StagedTransport transport(Communicator::world(), 2 * DeviceBox::kRowBytes);
        DeviceBox from(kRows), to(kRows);
        using enum Message::Direction;
        const Messages messages = {transport.prepare({kReceive, 0, 0, Link::kInner, Stream::kInner, {to.view()}}),
                                   transport.prepare({kSend, 0, 0, Link::kInner, Stream::kInner, {from.view()}})};
        for (int again = 0; again < 2; ++again) {
          from.count_from(static_cast<float>(1000 * again));
          run(transport, messages);
          EXPECT_EQ(to.values(), from.values());
        }
      },
      4);
}

TEST(Staged, RowsLargerThanAChunkGoByHeads) {
  vgpu::in_every_order(
      [] {
        StagedTransport transport(Communicator::world(), DeviceBox::kRowBytes / 2);
        DeviceBox from(kRows), to(kRows);
        from.count_from(1);
        using enum Message::Direction;
        run(transport, {transport.prepare({kReceive, 0, 0, Link::kInner, Stream::kInner, {to.view_of_heads(4)}}),
                        transport.prepare({kSend, 0, 0, Link::kInner, Stream::kInner, {from.view_of_heads(4)}})});
        EXPECT_EQ(to.values(), from.values());
      },
      4);
}

TEST(Staged, ChunksOfMessagesOfOneTagDoNotMix) {
  vgpu::in_every_order(
      [] {
        StagedTransport transport(Communicator::world(), DeviceBox::kRowBytes);
        DeviceBox first(kRows), second(kRows), to_first(kRows), to_second(kRows);
        first.count_from(1);
        second.count_from(1001);
        using enum Message::Direction;
        Messages messages;
        for (DeviceBox* to : {&to_first, &to_second}) {
          messages.push_back(transport.prepare({kReceive, 0, 0, Link::kInner, Stream::kInner, {to->view()}}));
        }
        for (DeviceBox* from : {&first, &second}) {
          messages.push_back(transport.prepare({kSend, 0, 0, Link::kInner, Stream::kInner, {from->view()}}));
        }
        run(transport, messages);
        EXPECT_EQ(to_first.values(), first.values());
        EXPECT_EQ(to_second.values(), second.values());
      },
      4);
}

}  // namespace
}  // namespace cpbench
