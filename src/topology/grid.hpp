// Who computes: ranks arranged as a grid ulysses x outer x inner.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cpbench {

/// Which neighbours are consecutive ranks. kUlyssesInner: rank = ring_position * ulysses + place (Ulysses groups
/// contiguous, inside a node); kRingInner: rank = place * ring() + ring_position.
enum class RankOrder : std::uint8_t { kUlyssesInner, kRingInner };
std::string_view name_of(RankOrder order);  ///< `ulysses-inner`, `ring-inner`
RankOrder parse_rank_order(std::string_view name);

/// The ring of each place has outer * inner members; its position is window * inner + index within the window.
struct Grid {
  int ulysses = 1;
  int outer = 1;  ///< windows of the ring
  int inner = 1;  ///< ring members per window (`--window-size`)
  RankOrder order = RankOrder::kUlyssesInner;

  int ring() const { return outer * inner; }
  int size() const { return ulysses * outer * inner; }
  int rank_of(int place, int ring_position) const {
    return order == RankOrder::kUlyssesInner ? ring_position * ulysses + place : place * ring() + ring_position;
  }
  int place_of(int rank) const { return order == RankOrder::kUlyssesInner ? rank % ulysses : rank / ring(); }
  int ring_position_of(int rank) const { return order == RankOrder::kUlyssesInner ? rank / ulysses : rank % ring(); }
  bool operator==(const Grid&) const = default;
};

/// What lies between two ranks: what the emulated link, the bytes of `plan` and the timeline call it.
enum class Link : std::uint8_t {
  kInner,    ///< the same window of the same ring, or the same rank
  kOuter,    ///< other windows of the same ring
  kAllToAll  ///< different places of a Ulysses group
};
inline constexpr std::array kAllLinks = {Link::kInner, Link::kOuter, Link::kAllToAll};
inline constexpr std::size_t kLinks = kAllLinks.size();
std::string_view name_of(Link link);  ///< `inner`, `outer`, `all-to-all`
Link link_between(const Grid& grid, int rank, int other);

}  // namespace cpbench
