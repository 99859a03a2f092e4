// What pruning knows of all ranks together: their programs, and which send each receive is for.
#pragma once

#include <memory>
#include <vector>

#include "schedule/passes/prune_rank.hpp"

namespace cpbench {

/// One message: what arrives where. A ring of 4,096 ranks has 50 million of them, so they are made when they are asked
/// for; what is known of one is kept by the receiver, by the transfer that it is there.
struct Edge {
  int from, to;
  Region sent, received;
  std::uint32_t send, receive;  ///< transfers of the two ranks
};

/// Null where the rank is not at one.
inline const Exchange* exchange_at_cursor(const PruneRank& rank) {
  return rank.cursor < rank.program().ops.size() ? std::get_if<Exchange>(&rank.op(rank.cursor).action) : nullptr;
}

/// Calls visit(transfer, what it is) for the live messages that a rank receives in the exchange that it is at.
template <typename Visitor>
void for_each_live_receive(PruneRank& receiver, Visitor&& visit) {
  const auto* exchange = exchange_at_cursor(receiver);
  if (exchange == nullptr) return;
  for (std::uint32_t t = exchange->receives.begin; t < exchange->receives.begin + exchange->receives.count; ++t) {
    if (receiver.live[t]) visit(t, receiver.program().transfers[t]);
  }
}

/// All ranks' programs are gone through together, exchange by exchange, each rank at its cursor.
class PruneJob {
 public:
  explicit PruneJob(std::vector<Program>& programs);

  /// Finds the sends of all receives; false where a message has one side only. Cursors are at the beginning then.
  bool match_messages();

  PruneRank& rank(int number) const { return *ranks[static_cast<std::size_t>(number)]; }
  int count() const { return static_cast<int>(ranks.size()); }
  /// All ranks; false where none has one.
  bool go_to_next_exchange();

  Edge edge_of(int to, std::uint32_t receive) const;
  /// Whole blocks may be passed on by somebody else; a piece of a buffer counts as read where it is cut.
  bool is_relayed(const Edge& edge) const {
    return rank(edge.from).is_whole(edge.sent) && rank(edge.to).is_whole(edge.received);
  }

  /// As for_each_live_receive with both sides of a message, visit(edge): the other ranks are at the exchange too.
  /// Looking at every sender's program is what takes time.
  template <typename Visitor>
  void for_each_live(int to, Visitor&& visit) const {
    for_each_live_receive(rank(to), [&](std::uint32_t t, const Transfer&) { visit(edge_of(to, t)); });
  }

  std::vector<std::unique_ptr<PruneRank>> ranks;
  std::size_t exchanges = 0;  ///< of each rank, known from match_messages on

 private:
  struct Arrival {
    int from;
    std::uint32_t send;
  };
  static bool match_receives(PruneRank& receiver, std::vector<Arrival>& arriving);
};

}  // namespace cpbench
