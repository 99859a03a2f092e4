// Runs as four ranks, which some carriers take to be on two nodes.
#include "transport/route.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/kernel.hpp"

namespace cpbench {
namespace {

/// What parts are asked, one after the other: their number, and what they got.
using Log = std::vector<std::pair<int, std::vector<Transport::MessageId>>>;

class Part : public Transport {
 public:
  Part(int number, Log& log) : number_(number), log_(log) {}
  MessageId prepare(const Message& message) override {
    peers.push_back(message.peer);
    return static_cast<MessageId>(peers.size()) - 1;
  }
  void start(MessageId id) override { log_.push_back({number_, {id}}); }
  bool test(MessageId) override { return number_ == 1; }
  bool is_queued() const override { return true; }
  void queue(std::span<const MessageId> messages, Stream) override {
    log_.push_back({number_, {messages.begin(), messages.end()}});
  }

  std::vector<int> peers;

 private:
  int number_;
  Log& log_;
};

/// A device whose branches are queued one after the other.
class DeviceBackend : public CpuBackend, private DeviceQueues {
 public:
  DeviceBackend() : CpuBackend(kDefaultKernel, 1) {}
  DeviceQueues* queues() override { return this; }

 private:
  struct OneAfterTheOther : DeviceBranches {
    void queue(Stream, std::span<const std::function<void()>> parts) override {
      for (const auto& part : parts) part();
    }
  };
  std::unique_ptr<DeviceMark> make_mark(const std::string&) override { return nullptr; }
  std::unique_ptr<DeviceBranches> make_branches(std::size_t) override { return std::make_unique<OneAfterTheOther>(); }
  std::unique_ptr<DeviceGraph> record(const std::function<void()>&) override { return nullptr; }
};

/// A carrier that reaches from a rank to another where `reaches` says so, and what it made last.
struct FakeCarrier {
  FakeCarrier(int number, std::string name, const std::function<bool(int, int)>& reaches) {
    carrier.name = std::move(name);
    carrier.obstacles = [reaches, name = carrier.name](const Communicator& ranks, int) {
      std::vector<std::string> found;
      for (int peer = 0; peer < ranks.size(); ++peer) {
        found.push_back(reaches(ranks.rank(), peer) ? "" : "not by " + name);
      }
      return found;
    };
    carrier.make = [this, number](const Communicator&, Backend&, const TransportOptions&) {
      auto part = std::make_unique<Part>(number, log);
      made = part.get();
      return part;
    };
    carrier.describe = [name = carrier.name] { return "the " + name + " way"; };
  }

  Log log;
  Carrier carrier{};
  Part* made = nullptr;
};

bool same_node(int a, int b) { return a / 2 == b / 2; }
bool anywhere(int, int) { return true; }

TEST(Route, TakesTheMostPreferredThatReaches) {
  const Communicator world = Communicator::world();
  const FakeCarrier near(0, "near", same_node), far(1, "far", anywhere);
  const Route route(world, 0, {&near.carrier, &far.carrier});
  EXPECT_EQ(route.obstacle(), "");
  EXPECT_EQ(route.name(4), "near+far");
  EXPECT_EQ(route.describe(4), "near (the near way) + far (the far way)");
}

TEST(Route, NamesOnlyWhatCarriesSomethingAmongTheRanksOfAPoint) {
  const Communicator world = Communicator::world();
  const FakeCarrier near(0, "near", same_node), far(1, "far", anywhere);
  const FakeCarrier own(2, "own", [](int a, int b) { return a == b; });
  const Route route(world, 0, {&near.carrier, &far.carrier});
  EXPECT_EQ(route.name(1), "near");
  EXPECT_EQ(route.name(2), "near");
  EXPECT_EQ(route.name(3), "near+far");
  EXPECT_EQ(Route(world, 0, {&own.carrier, &far.carrier}).name(4), "far");
  EXPECT_EQ(Route(world, 0, {&far.carrier, &near.carrier}).name(4), "far");
}

TEST(Route, SaysWhichRanksNothingReaches) {
  const Communicator world = Communicator::world();
  const FakeCarrier near(0, "near", same_node);
  const FakeCarrier first(1, "first", [](int a, int b) { return std::min(a, b) == 0; });
  EXPECT_EQ(Route(world, 0, {&near.carrier}).obstacle(), "ranks 0 and 2: not by near");
  EXPECT_EQ(Route(world, 0, {&first.carrier, &near.carrier}).obstacle(), "ranks 1 and 2: not by near");
}

TEST(Route, MakesATransportThatGivesEachMessageToItsCarrier) {
  const Communicator world = Communicator::world();
  FakeCarrier near(0, "near", same_node), far(1, "far", anywhere);
  const Route route(world, 0, {&near.carrier, &far.carrier});
  DeviceBackend backend;
  const auto transport = route.make(world, backend, {});
  EXPECT_TRUE(transport->is_queued());
  std::vector<Transport::MessageId> ids;
  std::vector<int> near_peers, far_peers;
  for (const int peer : {3, 2, 1, 0}) {
    ids.push_back(transport->prepare({Message::Direction::kSend, peer, 0, Link::kInner, Stream::kInner, {}}));
    (same_node(world.rank(), peer) ? near_peers : far_peers).push_back(peer);
  }
  EXPECT_EQ(near.made->peers, near_peers);
  EXPECT_EQ(far.made->peers, far_peers);

  transport->queue(ids, Stream::kInner);
  transport->queue({}, Stream::kInner);
  const Log whole = {{0, {0, 1}}}, its = {{1, {0, 1}}};
  EXPECT_EQ(near.log, whole);
  EXPECT_EQ(far.log, its);
}

/// Two rows to and from each of two peers, on streams of their own, while something is attended.
Program with_exchanges(int inner_peer, int outer_peer) {
  Program program;
  program.buffers.push_back({Role::kKv, DType::kFp32, 1, 8, 8, 2});
  std::int32_t ordinal = 0;
  for (const auto& [stream, peer] : {std::pair(Stream::kInner, inner_peer), std::pair(Stream::kOuter, outer_peer)}) {
    const auto begin = static_cast<std::uint32_t>(program.transfers.size());
    for (int i = 0; i < 2; ++i) program.transfers.push_back({peer, program.whole(0)});
    program.ops.push_back({Exchange{ordinal++, {begin, 1}, {begin + 1, 1}}, {"hop"}, stream});
  }
  program.ops.push_back({Attend{}, {"attend"}, Stream::kCompute});
  return program;
}

TEST(Route, CountsTheStreamsOfBlocksBesideAnAttend) {
  const Communicator world = Communicator::world();
  FakeCarrier near(0, "near", same_node), far(1, "far", anywhere);
  far.carrier.ctas = 3;
  const Route both(world, 0, {&near.carrier, &far.carrier}), one(world, 0, {&far.carrier});
  EXPECT_EQ(both.ctas(4), 3);
  EXPECT_EQ(both.streams_with_blocks(with_exchanges(1, 1), 0, 4), 0);
  EXPECT_EQ(both.streams_with_blocks(with_exchanges(1, 2), 0, 4), 1);
  EXPECT_EQ(both.streams_with_blocks(with_exchanges(2, 3), 0, 4), 2);
  EXPECT_EQ(both.streams_with_blocks(with_exchanges(2, 1), 3, 4), 1);
  EXPECT_EQ(both.streams_with_blocks(with_exchanges(0, 1), 0, 2), 0);
  EXPECT_EQ(one.streams_with_blocks(with_exchanges(0, 1), 0, 4), 2);
}

TEST(Route, MakesNothingThatNoMessageUses) {
  const Communicator world = Communicator::world();
  FakeCarrier near(0, "near", same_node), far(1, "far", anywhere);
  const Route route(world, 0, {&near.carrier, &far.carrier});
  CpuBackend backend(kDefaultKernel, 1);
  const auto pair = world.first(2);
  if (!pair) return;
  const auto transport = route.make(*pair, backend, {});
  EXPECT_EQ(transport.get(), near.made);
  EXPECT_EQ(far.made, nullptr);
}

}  // namespace
}  // namespace cpbench
