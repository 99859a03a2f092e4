// The sends or receives of an exchange, by peer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench::verification {

/// Transfers sorted by peer, those with one peer in the order of the exchange. Keeps a copy only where they are not so
/// listed already.
class PeerList {
 public:
  /// `transfers` must stay in place.
  void assign(std::span<const Transfer> transfers) {
    next_ = 0;
    sorted_ = transfers;
    if (std::ranges::is_sorted(transfers, {}, &Transfer::peer)) return;
    copy_.assign(transfers.begin(), transfers.end());
    std::ranges::stable_sort(copy_, {}, &Transfer::peer);
    sorted_ = copy_;
  }

  /// Calls `visit` with every transfer and its number among those with its peer.
  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    std::size_t index = 0;
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      index = i > 0 && sorted_[i - 1].peer == sorted_[i].peer ? index + 1 : 0;
      visit(sorted_[i], index);
    }
  }

  /// The `index`-th transfer with `peer`, or null. Peers mostly ask in order, so the next one is tried first.
  const Transfer* find(int peer, std::size_t index) {
    if (!is(next_, peer, index)) {
      const auto first = std::ranges::lower_bound(sorted_, peer, {}, &Transfer::peer);
      next_ = static_cast<std::size_t>(first - sorted_.begin()) + index;
      if (!is(next_, peer, index)) return nullptr;
    }
    return &sorted_[next_++];
  }

 private:
  bool is(std::size_t i, int peer, std::size_t index) const {
    if (i >= sorted_.size() || i < index) return false;
    const std::size_t first = i - index;
    return sorted_[i].peer == peer && sorted_[first].peer == peer && (first == 0 || sorted_[first - 1].peer != peer);
  }

  std::span<const Transfer> sorted_;
  std::vector<Transfer> copy_;
  std::size_t next_ = 0;
};

}  // namespace cpbench::verification
