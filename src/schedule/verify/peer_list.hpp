// The sends or receives of an exchange, by peer.
#pragma once

#include <algorithm>
#include <cstddef>

#include "schedule/program.hpp"

namespace cpbench::verification {

/// Transfers sorted by peer, those with one peer in the order of the exchange. Keeps a copy only where they are not so
/// listed already.
class PeerList {
 public:
  /// `transfers` must stay in place.
  void assign(const TransferList& transfers) {
    next_ = 0;
    sorted_ = transfers;
    if (std::ranges::is_sorted(transfers, {}, &Transfer::peer)) return;
    PagedVector<Transfer> copy;
    for (const Transfer& t : transfers) copy.push_back(t);
    std::ranges::stable_sort(copy, {}, &Transfer::peer);
    copy_ = std::move(copy);
    sorted_ = TransferList(std::as_const(copy_).begin(), std::as_const(copy_).end());
  }

  /// Calls `visit` with every transfer and its number among those with its peer.
  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    std::size_t index = 0;
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      index = i > 0 && at(i - 1).peer == at(i).peer ? index + 1 : 0;
      visit(at(i), index);
    }
  }

  /// The `index`-th transfer with `peer`, or null. Peers mostly ask in order, so the next one is tried first.
  const Transfer* find(int peer, std::size_t index) {
    if (!is(next_, peer, index)) {
      const auto first = std::ranges::lower_bound(sorted_, peer, {}, &Transfer::peer);
      next_ = static_cast<std::size_t>(first - sorted_.begin()) + index;
      if (!is(next_, peer, index)) return nullptr;
    }
    return &at(next_++);
  }

 private:
  bool is(std::size_t i, int peer, std::size_t index) const {
    if (i >= sorted_.size() || i < index) return false;
    const std::size_t first = i - index;
    return at(i).peer == peer && at(first).peer == peer && (first == 0 || at(first - 1).peer != peer);
  }

  const Transfer& at(std::size_t i) const { return sorted_[static_cast<std::ptrdiff_t>(i)]; }

  TransferList sorted_;
  PagedVector<Transfer> copy_;
  std::size_t next_ = 0;
};

}  // namespace cpbench::verification
