#include "topology/grid.hpp"

#include <array>

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<RankOrder>, 2> kNames = {
    {{RankOrder::kUlyssesInner, "ulysses-inner"}, {RankOrder::kRingInner, "ring-inner"}}};

}  // namespace

std::string_view name_of(RankOrder order) { return name_in(kNames, order); }
RankOrder parse_rank_order(std::string_view name) { return parse_in(kNames, "rank order", name); }

std::string_view name_of(Link link) {
  constexpr std::array<std::string_view, kLinks> kLinkNames = {"inner", "outer", "all-to-all"};
  return kLinkNames[static_cast<std::size_t>(link)];
}

Link link_between(const Grid& grid, int rank, int other) {
  if (grid.place_of(rank) != grid.place_of(other)) return Link::kAllToAll;
  const auto window_of = [&](int r) { return grid.ring_position_of(r) / grid.inner; };
  return window_of(rank) == window_of(other) ? Link::kInner : Link::kOuter;
}

}  // namespace cpbench
