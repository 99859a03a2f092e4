// The programs of patterns, run over a transport that buffers nothing and delivers late.
#include "links/link_program.hpp"

#include <gtest/gtest.h>

#include "links/payload.hpp"
#include "run/hand_built.hpp"

namespace cpbench {
namespace {

std::span<std::byte> bytes_in(const ProgramMemory& memory, BufferId id) {
  return std::as_writable_bytes(floats_of(memory, id));
}

/// Runs the pattern and compares what has arrived with what was sent. Returns by rank from whom each has received.
std::vector<std::vector<int>> senders_in(const LinkPattern& pattern, const LinkOptions& options, int ranks) {
  Schedule schedule;
  std::vector<std::vector<Arrival>> arrivals;
  for (int rank = 0; rank < ranks; ++rank) {
    LinkProgram made = link_program(pattern, options, rank, ranks);
    schedule.programs.push_back(std::move(made.program));
    arrivals.push_back(std::move(made.arrivals));
  }
  FakeBackend backend;
  InProcessJob job(schedule, backend, {.max_delay = 5, .seed = 1});
  const LinkPayload payload(bytes_of_link_buffers(options, ranks) / 2 / kLinkWordBytes, ranks);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto own = bytes_in(job.rank(rank).memory(), kLinkSendBuffer);
    std::ranges::copy(payload.rows_of(rank, 0, std::ssize(own) / kLinkWordBytes), own.begin());
  }
  job.run(Pass::kForwardBackward);
  std::vector<std::vector<int>> senders(static_cast<std::size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) {
    const auto received = bytes_in(job.rank(rank).memory(), kLinkReceiveBuffer);
    for (const auto& [from, sent_row, row, rows] : arrivals[static_cast<std::size_t>(rank)]) {
      const auto words = received.subspan(static_cast<std::size_t>(row * kLinkWordBytes),
                                          static_cast<std::size_t>(rows * kLinkWordBytes));
      EXPECT_FALSE(first_difference(words, payload.rows_of(from, sent_row, rows))) << from << " to " << rank;
      senders[static_cast<std::size_t>(rank)].push_back(from);
    }
  }
  return senders;
}

using Senders = std::vector<std::vector<int>>;

TEST(LinkPrograms, BringEveryRankWhatItsPartnersSend) {
  for (const int ranks : {2, 3, 4, 7}) {
    for (const int ranks_per_node : {1, 2, 4}) {
      const LinkOptions options{.ranks_per_node = ranks_per_node, .all_to_all = true, .message_bytes = 4096};
      for (const LinkPattern& pattern : link_patterns(options, ranks)) senders_in(pattern, options, ranks);
    }
  }
}

TEST(LinkPrograms, ReceiveFromThoseWhomThePatternNames) {
  using Kind = LinkPattern::Kind;
  const LinkOptions options{.ranks_per_node = 2, .message_bytes = 4096};
  EXPECT_EQ(senders_in({Kind::kHop, Link::kInner, 4096, {}}, options, 4), (Senders{{1}, {0}, {3}, {2}}));
  EXPECT_EQ(senders_in({Kind::kHop, Link::kOuter, 4096, {}}, options, 6), (Senders{{4}, {5}, {0}, {1}, {2}, {3}}));
  EXPECT_EQ(senders_in({Kind::kAllToAll, Link::kAllToAll, 48, {}}, options, 3), (Senders{{2, 1}, {0, 2}, {1, 0}}));
  EXPECT_EQ(senders_in({Kind::kRoundTrip, Link::kInner, 4096, {{2, 0}}}, options, 3), (Senders{{2}, {}, {0}}));
}

TEST(LinkPrograms, RepeatThePatternWithTheBytesThatItSays) {
  const LinkOptions options{.ranks_per_node = 3, .message_bytes = 4096};
  const auto sent = [&](const LinkPattern& pattern, int rank) {
    const Program program = link_program(pattern, options, rank, 3).program;
    std::int64_t bytes = 0;
    for (const Op& op : program.ops) bytes += program.bytes(program.sends(std::get<Exchange>(op.action)), rank, 1);
    return bytes / kLinkRepeats;
  };
  using Kind = LinkPattern::Kind;
  EXPECT_EQ(sent({Kind::kHop, Link::kInner, 1024, {}}, 1), 1024);
  EXPECT_EQ(sent({Kind::kAllToAll, Link::kAllToAll, 480, {}}, 1), 480);
  EXPECT_EQ(sent({Kind::kRoundTrip, Link::kInner, 1024, {{2, 0}}}, 2), 1024);
  EXPECT_EQ(sent({Kind::kRoundTrip, Link::kInner, 1024, {{2, 0}}}, 0), kLinkWordBytes) << "the answer";
  EXPECT_EQ(sent({Kind::kRoundTrip, Link::kInner, 1024, {{2, 0}}}, 1), 0);
}

TEST(LinkPayload, TellsRanksAndPlacesApart) {
  const LinkPayload payload(100, 3);
  EXPECT_FALSE(first_difference(payload.rows_of(1, 5, 10), payload.rows_of(1, 5, 10)));
  EXPECT_TRUE(first_difference(payload.rows_of(1, 5, 10), payload.rows_of(2, 5, 10)));
  EXPECT_TRUE(first_difference(payload.rows_of(1, 5, 10), payload.rows_of(1, 6, 10)));
  const auto words = payload.rows_of(0, 0, 4);
  std::vector<std::byte> wrong(words.begin(), words.end());
  wrong[17] ^= std::byte{1};
  EXPECT_EQ(first_difference(wrong, words), 17);
}

}  // namespace
}  // namespace cpbench
