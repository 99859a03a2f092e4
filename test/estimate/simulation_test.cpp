// The rules of time, on programs written by hand.
#include "estimate/simulation.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "run/hand_built.hpp"

namespace cpbench {
namespace {

constexpr double kBytes = 2 * (8 + 8) * 4;  // of a buffer of ProgramWriter

/// A message takes a second by the inner link and 3 by the outer one, a copy 2.
MachineModel machine() {
  MachineModel machine;
  machine.forward_flops_per_second = machine.backward_flops_per_second = 1;
  machine.links.speeds[static_cast<std::size_t>(Link::kInner)] = {kBytes};
  machine.links.speeds[static_cast<std::size_t>(Link::kOuter)] = {kBytes / 2, 1};
  machine.memory_bytes_per_second = kBytes;
  return machine;
}

Transfer over(Link link, int peer, const Region& region) {
  Transfer transfer(peer, region);
  transfer.link = link;
  return transfer;
}

std::vector<RankTime> times_of(std::vector<Program> programs) {
  return simulate(schedule_of(std::move(programs)), machine());
}

/// Rank 0 sends by two streams at once, over these links.
RankTime two_messages(Link first, Link second) {
  ProgramWriter sender, receiver;
  for (const auto& [stream, link] : {std::pair{Stream::kInner, first}, {Stream::kOuter, second}}) {
    sender.exchange(stream, {over(link, 1, sender.whole(sender.buffer()))}, {});
    receiver.exchange(stream, {}, {over(link, 0, receiver.whole(receiver.buffer()))});
  }
  return times_of({sender.take(), receiver.take()})[1];
}

TEST(Simulation, MessagesOfARankShareALinkOfOneKind) {
  EXPECT_EQ(two_messages(Link::kInner, Link::kInner).finished_s, 2);
  EXPECT_EQ(two_messages(Link::kInner, Link::kOuter).finished_s, 3);
  EXPECT_EQ(two_messages(Link::kOuter, Link::kOuter).finished_s, 2 * 2 + 1) << "latencies overlap";
  EXPECT_EQ(two_messages(Link::kAllToAll, Link::kAllToAll).finished_s, 0) << "nothing is said of it";
}

TEST(Simulation, BothDirectionsOfALinkAreUsedAtOnce) {
  std::vector<Program> programs;
  for (const int peer : {1, 0}) {
    ProgramWriter writer;
    writer.exchange(Stream::kInner, {over(Link::kInner, peer, writer.whole(writer.buffer()))},
                    {over(Link::kInner, peer, writer.whole(writer.buffer()))});
    programs.push_back(writer.take());
  }
  for (const RankTime& time : times_of(programs)) EXPECT_EQ(time.finished_s, 1);
}

TEST(Simulation, AMessageIsOnItsWayBeforeItsReceiverIsReady) {
  for (const int copies : {0, 1, 4}) {
    ProgramWriter sender, receiver;
    sender.exchange(Stream::kOuter, {over(Link::kOuter, 1, sender.whole(sender.buffer()))}, {});
    const BufferId a = receiver.buffer(), b = receiver.buffer();
    OpId last = -1;
    for (int i = 0; i < copies; ++i) last = receiver.copy(a, b);
    receiver.exchange(Stream::kOuter, {}, {over(Link::kOuter, 0, receiver.whole(a))},
                      copies > 0 ? std::vector{last} : std::vector<OpId>());
    const std::vector<RankTime> times = times_of({sender.take(), receiver.take()});
    EXPECT_EQ(times[0].finished_s, std::max(3, 2 * copies)) << "a send is done when it has been received";
    EXPECT_EQ(times[1].finished_s, std::max(3, 2 * copies));
    EXPECT_EQ(times[1].computing_s, 2 * copies);
  }
}

TEST(Simulation, AMessageToItselfTakesNoTime) {
  ProgramWriter writer;
  const BufferId from = writer.buffer(), to = writer.buffer();
  writer.exchange(Stream::kInner, {over(Link::kInner, 0, writer.whole(from))},
                  {over(Link::kInner, 0, writer.whole(to))});
  EXPECT_EQ(times_of({writer.take()})[0].finished_s, 0);
}

TEST(Simulation, ComputeRunsBesideMessagesUnlessItWaitsForThem) {
  const auto receiver_time = [](bool waits) {
    ProgramWriter sender, receiver;
    sender.exchange(Stream::kOuter, {over(Link::kOuter, 1, sender.whole(sender.buffer()))}, {});
    const BufferId a = receiver.buffer(), b = receiver.buffer();
    const OpId exchange = receiver.exchange(Stream::kOuter, {}, {over(Link::kOuter, 0, receiver.whole(a))});
    receiver.copy(b, a, waits ? std::vector{exchange} : std::vector<OpId>());
    return times_of({sender.take(), receiver.take()})[1];
  };
  EXPECT_EQ(receiver_time(false).finished_s, 3);
  EXPECT_EQ(receiver_time(true).finished_s, 3 + 2);
}

TEST(Simulation, MessagesOfOnePairAreMatchedInTheirOrder) {
  // Rank 0 sends to rank 2 first, and to rank 1 twice; its egress keeps that order.
  ProgramWriter sender, two, one;
  const auto send_to = [&](int peer) { return over(Link::kInner, peer, sender.whole(sender.buffer())); };
  sender.exchange(Stream::kInner, {send_to(2), send_to(1), send_to(1)}, {});
  one.exchange(Stream::kInner, {},
               {over(Link::kInner, 0, one.whole(one.buffer())), over(Link::kInner, 0, one.whole(one.buffer()))});
  two.exchange(Stream::kInner, {}, {over(Link::kInner, 0, two.whole(two.buffer()))});
  const std::vector<RankTime> times = times_of({sender.take(), one.take(), two.take()});
  EXPECT_EQ(times[0].finished_s, 3);
  EXPECT_EQ(times[1].finished_s, 3);
  EXPECT_EQ(times[2].finished_s, 1);
}

void expect_standstill(std::vector<Program> programs, std::string_view words) {
  try {
    times_of(std::move(programs));
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string_view(error.what()).find(words), std::string_view::npos) << error.what();
    return;
  }
  ADD_FAILURE() << "not found";
}

TEST(Simulation, ReportsProgramsThatStandStill) {
  ProgramWriter receiver, nobody;
  receiver.exchange(Stream::kInner, {}, {over(Link::kInner, 1, receiver.whole(receiver.buffer()))});
  expect_standstill({receiver.take(), nobody.take()}, "rank 0, op 0 (op 0) has begun and waits for its peers");

  ProgramWriter circle;
  const BufferId a = circle.buffer(), b = circle.buffer();
  circle.copy(a, b, {1});
  circle.copy(b, a);
  expect_standstill({circle.take()}, "rank 0, op 0 (op 0) never begins");
}

TEST(Simulation, OfTheBackwardPassAloneCountsTheForwardPassAsDone) {
  ProgramWriter writer;
  const BufferId a = writer.buffer(), b = writer.buffer();
  const OpId forward = writer.copy(a, b);
  writer.begin_backward();
  writer.copy(b, a, {forward});
  Schedule schedule = schedule_of({writer.take()});
  EXPECT_EQ(simulate(schedule, machine())[0].finished_s, 4);
  schedule.of.pass = Pass::kBackward;
  EXPECT_EQ(simulate(schedule, machine())[0].finished_s, 2);
}

}  // namespace
}  // namespace cpbench
