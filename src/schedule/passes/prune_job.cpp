#include "schedule/passes/prune_job.hpp"

namespace cpbench {

PruneJob::PruneJob(std::vector<Program>& programs) {
  for (std::size_t r = 0; r < programs.size(); ++r) {
    ranks.push_back(std::make_unique<PruneRank>(static_cast<int>(r), programs[r]));
  }
}

bool PruneJob::match_messages() {
  std::vector<std::vector<Arrival>> arriving(ranks.size());  // by receiver, in the order of senders
  for (; go_to_next_exchange(); ++exchanges) {
    for (const auto& rank : ranks) {
      const Exchange* exchange = exchange_at_cursor(*rank);
      if (exchange == nullptr) return false;
      for (std::uint32_t t = exchange->sends.begin; t < exchange->sends.begin + exchange->sends.count; ++t) {
        const std::int32_t peer = rank->program().transfers[t].peer;
        if (peer < 0 || peer >= count()) return false;
        arriving[static_cast<std::size_t>(peer)].push_back({rank->number, t});
      }
    }
    for (const auto& rank : ranks) {
      if (!match_receives(*rank, arriving[static_cast<std::size_t>(rank->number)])) return false;
      ++rank->cursor;
    }
  }
  for (const auto& rank : ranks) rank->cursor = 0;
  return true;
}

bool PruneJob::go_to_next_exchange() {
  bool found = false;
  for (const auto& rank : ranks) {
    while (rank->cursor < rank->program().ops.size() && exchange_at_cursor(*rank) == nullptr) ++rank->cursor;
    found = found || exchange_at_cursor(*rank) != nullptr;
  }
  return found;
}

bool PruneJob::match_receives(PruneRank& receiver, std::vector<Arrival>& arriving) {
  const std::vector<std::uint32_t> receives = receiver.by_peer(exchange_at_cursor(receiver)->receives);
  if (receives.size() != arriving.size()) return false;
  for (std::size_t k = 0; k < receives.size(); ++k) {
    if (receiver.program().transfers[receives[k]].peer != arriving[k].from) return false;
    receiver.from[receives[k]] = arriving[k].send;
  }
  arriving.clear();
  return true;
}

Edge PruneJob::edge_of(int to, std::uint32_t receive) const {
  const PruneRank& receiver = rank(to);
  const Transfer& received = receiver.program().transfers[receive];
  const std::uint32_t send = receiver.from[receive];
  return {received.peer, to, rank(received.peer).program().transfers[send].region, received.region, send, receive};
}

}  // namespace cpbench
