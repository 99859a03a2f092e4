// Runs as four ranks. CPBENCH_TEST_LARGE=1 adds a message above 2^31 bytes, for which two ranks need 7 GB.
#include "transport/mpi_transport.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "support/error.hpp"
#include "transport/backoff.hpp"
#include "transport/tensor_block.hpp"

namespace cpbench {
namespace {

Message send_to(int peer, int tag, std::vector<TensorView> boxes) {
  return {Message::Direction::kSend, peer, tag, Link::kInner, Stream::kInner, std::move(boxes)};
}
Message receive_from(int peer, int tag, std::vector<TensorView> boxes) {
  return {Message::Direction::kReceive, peer, tag, Link::kInner, Stream::kInner, std::move(boxes)};
}

void finish(Transport& transport, std::initializer_list<Transport::MessageId> ids) {
  for (const auto id : ids) {
    for (Backoff backoff; !transport.test(id);) backoff.pause();
  }
}

class MpiTransportTest : public testing::Test {
 protected:
  int right() const { return (world_.rank() + 1) % world_.size(); }
  int left() const { return (world_.rank() + world_.size() - 1) % world_.size(); }

  Communicator world_ = Communicator::world();
  MpiTransport transport_{world_};
};

TEST_F(MpiTransportTest, MovesStridedBoxesAroundARingAgainAndAgain) {
  int tag = 0;
  for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd}) {
    TensorBlock from(layout, 2, 6, 4, 8, 24, 0);
    const TensorBlock to(layout, 2, 9, 4, 8, 24, -1);
    const TensorBlock untouched(layout, 2, 9, 4, 8, 24, -1);
    const auto send = transport_.prepare(send_to(right(), ++tag, from.box(1, 3, 1, 2)));
    const auto receive = transport_.prepare(receive_from(left(), tag, to.box(5, 3, 0, 2)));
    for (int iteration = 0; iteration < 3; ++iteration) {
      const auto value = [&](int rank) { return static_cast<float>(1000 * rank + 100 * iteration); };
      std::ranges::fill(from.data, value(world_.rank()));
      transport_.start(receive);
      transport_.start(send);
      finish(transport_, {send, receive});
      EXPECT_EQ(elements_of(to.box(5, 3, 0, 2)), std::vector<float>(2 * 3 * 2 * (8 + 24), value(left())));
    }
    EXPECT_EQ(elements_of(to.box(0, 5, 0, 4)), elements_of(untouched.box(0, 5, 0, 4))) << name_of(layout);
    EXPECT_EQ(elements_of(to.box(5, 4, 2, 2)), elements_of(untouched.box(5, 4, 2, 2))) << name_of(layout);
  }
}

TEST_F(MpiTransportTest, KeepsTheOrderOfElementsBetweenDifferentBuffers) {
  // The sender's box is contiguous, the receiver's is not.
  const TensorBlock from(Layout::kBshd, 1, 3, 2, 8, 16, static_cast<float>(10000 * world_.rank()));
  const TensorBlock expected(Layout::kBshd, 1, 3, 2, 8, 16, static_cast<float>(10000 * left()));
  const TensorBlock to(Layout::kBshd, 1, 7, 5, 8, 16, -1);
  const auto send = transport_.prepare(send_to(right(), 1, from.whole()));
  const auto receive = transport_.prepare(receive_from(left(), 1, to.box(2, 3, 3, 2)));
  transport_.start(receive);
  transport_.start(send);
  finish(transport_, {send, receive});
  EXPECT_EQ(elements_of(to.box(2, 3, 3, 2)), elements_of(expected.whole()));
}

TEST_F(MpiTransportTest, SendsToItself) {
  const TensorBlock from(Layout::kBshd, 1, 5000, 4, 8, 8, 5), to(Layout::kBshd, 1, 5000, 4, 8, 8, 0);
  const auto send = transport_.prepare(send_to(world_.rank(), 2, from.whole()));
  const auto receive = transport_.prepare(receive_from(world_.rank(), 2, to.whole()));
  transport_.start(receive);
  transport_.start(send);
  finish(transport_, {receive, send});
  EXPECT_EQ(to.data, from.data);
}

TEST_F(MpiTransportTest, RefusesPeersAndTagsThatDoNotExist) {
  const TensorBlock kv(Layout::kBshd, 1, 1, 1, 8, 8, 0);
  const auto code_of = [&](const Message& message) {
    try {
      transport_.prepare(message);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kOk;
  };
  EXPECT_EQ(code_of(send_to(world_.size(), 0, kv.whole())), ExitCode::kDevice);
  EXPECT_EQ(code_of(send_to(0, -7, kv.whole())), ExitCode::kDevice);
}

TEST_F(MpiTransportTest, MovesMoreThanTwoGigabytes) {
  if (std::getenv("CPBENCH_TEST_LARGE") == nullptr) GTEST_SKIP() << "needs 7 GB; CPBENCH_TEST_LARGE=1 runs it";
  if (world_.rank() > 1) return;
  constexpr int kHeads = 4, kDim = 64;
  constexpr std::int64_t kRows = (std::int64_t{3} << 30) / (2 * kHeads * kDim * 2) + 3;
  const Buffer buffer{Role::kKv, DType::kBf16, kHeads, kDim, kDim, kRows};
  const auto elements = static_cast<std::size_t>(buffer.bytes(1)) / 2;
  const auto memory = std::make_unique_for_overwrite<std::uint16_t[]>(elements);
  const auto source = [](std::size_t i) { return static_cast<std::uint16_t>(i * 2654435761u >> 13); };
  for (std::size_t i = 0; i < elements; ++i) memory[i] = world_.rank() == 0 ? source(i) : std::uint16_t{0};
  const BufferView view = view_of(buffer, Layout::kBshd, 1, reinterpret_cast<std::byte*>(memory.get()));

  // First three heads of every row, strided, then everything in one run.
  for (const int heads : {3, kHeads}) {
    const std::vector<TensorView> boxes = {view.first.box(0, kRows, 0, heads), view.second.box(0, kRows, 0, heads)};
    const Message message = world_.rank() == 0 ? send_to(1, heads, boxes) : receive_from(0, heads, boxes);
    ASSERT_GT(message.bytes(), std::int64_t{1} << 31);
    const auto id = transport_.prepare(message);
    transport_.start(id);
    finish(transport_, {id});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < elements; ++i) {
      const bool moved = world_.rank() == 0 || static_cast<int>(i / kDim % kHeads) < heads;
      wrong += memory[i] != (moved ? source(i) : 0) ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0u) << message.bytes() << " bytes";
  }
}

}  // namespace
}  // namespace cpbench
