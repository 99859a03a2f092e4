#include "links/link_program.hpp"

#include <algorithm>
#include <utility>

#include "problem/dtype.hpp"

namespace cpbench {
namespace {

constexpr Stream kLinkStream = Stream::kInner;  // operations of one stream run one after the other
constexpr int kWordDim = 2;                     // of fp32: a row is a word

struct Words {
  std::int64_t row, rows;
};
struct Send {
  int to;
  Link link;
  Words words;
};
struct Receive {
  int from;
  Link link;
  std::int64_t sent_row;  ///< there
  Words words;            ///< where they are put
};

/// An exchange of one rank.
struct Turn {
  std::vector<Send> sends;
  std::vector<Receive> receives;
};

class LinkProgramWriter {
 public:
  explicit LinkProgramWriter(std::int64_t rows) {
    for (int i = 0; i < 2; ++i) result_.program.buffers.push_back({Role::kQ, DType::kFp32, 1, kWordDim, 0, rows});
  }

  void add(const Turn& turn) {
    Program& program = result_.program;
    const std::uint32_t begin = end_of_transfers();
    for (const Send& send : turn.sends) add(send.to, send.link, kLinkSendBuffer, send.words);
    const std::uint32_t middle = end_of_transfers();
    for (const Receive& receive : turn.receives) add(receive.from, receive.link, kLinkReceiveBuffer, receive.words);
    const Exchange action{ordinal_++, {begin, middle - begin}, {middle, end_of_transfers() - middle}};
    program.ops.push_back({action, {"exchange"}, kLinkStream, false, {}});
  }
  void expect(const Turn& turn) {
    for (const auto& [from, link, sent_row, words] : turn.receives) {
      result_.arrivals.push_back({from, sent_row, words.row, words.rows});
    }
  }
  LinkProgram take() { return std::move(result_); }

 private:
  std::uint32_t end_of_transfers() const { return static_cast<std::uint32_t>(result_.program.transfers.size()); }
  void add(int peer, Link link, BufferId buffer, const Words& words) {
    Transfer transfer(peer, {buffer, 0, 1, words.row, words.rows});
    transfer.link = link;
    result_.program.transfers.push_back(transfer);
  }

  LinkProgram result_;
  std::int32_t ordinal_ = 0;
};

std::vector<Turn> hop(const LinkPattern& pattern, const LinkOptions& options, int rank, int ranks) {
  const auto neighbours = neighbours_in(rings_of(pattern.link, ranks, options.ranks_per_node), rank);
  if (!neighbours) return {};
  const Words words{0, pattern.bytes / kLinkWordBytes};
  return {{.sends = {{neighbours->next, pattern.link, words}},
           .receives = {{neighbours->previous, pattern.link, 0, words}}}};
}

std::vector<Turn> round_trip(const LinkPattern& pattern, const LinkOptions& options, int rank) {
  const Words message{0, pattern.bytes / kLinkWordBytes}, answer{0, 1};
  for (const auto& [a, b] : pattern.pairs) {
    const Link link = link_between_nodes(a, b, options.ranks_per_node);
    if (rank == a)
      return {{.sends = {{b, link, message}}, .receives = {}}, {.sends = {}, .receives = {{b, link, 0, answer}}}};
    if (rank == b)
      return {{.sends = {}, .receives = {{a, link, 0, message}}}, {.sends = {{a, link, answer}}, .receives = {}}};
  }
  return {};
}

/// Parts lie in the buffers of both ends in the order of how far they go.
std::vector<Turn> all_to_all(const LinkPattern& pattern, int rank, int ranks) {
  const std::int64_t rows = pattern.bytes / kLinkWordBytes / (ranks - 1);
  Turn turn;
  for (int distance = 1; distance < ranks; ++distance) {
    const Words part{(distance - 1) * rows, rows};
    turn.sends.push_back({(rank + distance) % ranks, pattern.link, part});
    turn.receives.push_back({(rank + ranks - distance) % ranks, pattern.link, part.row, part});
  }
  return {turn};
}

std::vector<Turn> turns_of(const LinkPattern& pattern, const LinkOptions& options, int rank, int ranks) {
  switch (pattern.kind) {
    case LinkPattern::Kind::kHop:
      return hop(pattern, options, rank, ranks);
    case LinkPattern::Kind::kRoundTrip:
      return round_trip(pattern, options, rank);
    case LinkPattern::Kind::kAllToAll:
      break;
  }
  return all_to_all(pattern, rank, ranks);
}

/// An all-to-all has a word for each other rank at least.
std::int64_t rows_of_link_buffer(const LinkOptions& options, int ranks) {
  return std::max(options.message_bytes / kLinkWordBytes, std::int64_t{ranks} - 1);
}

}  // namespace

LinkProgram link_program(const LinkPattern& pattern, const LinkOptions& options, int rank, int ranks) {
  LinkProgramWriter writer(rows_of_link_buffer(options, ranks));
  const std::vector<Turn> turns = turns_of(pattern, options, rank, ranks);
  for (int repeat = 0; repeat < kLinkRepeats; ++repeat) {
    for (const Turn& turn : turns) writer.add(turn);
  }
  for (const Turn& turn : turns) writer.expect(turn);
  return writer.take();
}

std::int64_t bytes_of_link_buffers(const LinkOptions& options, int ranks) {
  return 2 * rows_of_link_buffer(options, ranks) * kLinkWordBytes;
}

}  // namespace cpbench
