// The sends or receives of an exchange, by peer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

/// Transfers sorted by peer, those with one peer in the order of the exchange.
class PeerList {
 public:
  /// `transfers` must stay in place.
  void assign(const TransferList& transfers) {
    next_ = 0;
    transfers_ = transfers;
    order_.clear();
    if (std::ranges::is_sorted(transfers, {}, &Transfer::peer)) return;
    order_.resize(transfers.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, {}, [&](std::size_t index) { return transfers[index].peer; });
  }

  /// Calls `visit` with every transfer, its number among those with its peer, and its index in the exchange's list.
  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    std::size_t number = 0;
    for (std::size_t i = 0; i < transfers_.size(); ++i) {
      number = i > 0 && peer_at(i - 1) == peer_at(i) ? number + 1 : 0;
      visit(transfers_[index_of(i)], number, index_of(i));
    }
  }

  /// The index of the `number`-th transfer with `peer`, if there is one. Peers mostly ask in order, so the next one is
  /// tried first.
  std::optional<std::size_t> find(int peer, std::size_t number) {
    if (!is(next_, peer, number)) {
      next_ = first_with(peer) + number;
      if (!is(next_, peer, number)) return std::nullopt;
    }
    return index_of(next_++);
  }

 private:
  std::size_t index_of(std::size_t i) const { return order_.empty() ? i : order_[i]; }
  int peer_at(std::size_t i) const { return transfers_[index_of(i)].peer; }

  std::size_t first_with(int peer) const {
    const auto peer_of = [this](std::size_t index) { return transfers_[index].peer; };
    const auto distance = order_.empty()
                              ? std::ranges::lower_bound(transfers_, peer, {}, &Transfer::peer) - transfers_.begin()
                              : std::ranges::lower_bound(order_, peer, {}, peer_of) - order_.begin();
    return static_cast<std::size_t>(distance);
  }

  bool is(std::size_t i, int peer, std::size_t number) const {
    if (i >= transfers_.size() || i < number) return false;
    const std::size_t first = i - number;
    return peer_at(i) == peer && peer_at(first) == peer && (first == 0 || peer_at(first - 1) != peer);
  }

  TransferList transfers_;
  std::vector<std::size_t> order_;  ///< indices of transfers_; empty where that is sorted already
  std::size_t next_ = 0;
};

}  // namespace cpbench
