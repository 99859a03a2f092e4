#include "topology/grid.hpp"

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<RankOrder>, 2> kNames = {
    {{RankOrder::kUlyssesInner, "ulysses-inner"}, {RankOrder::kRingInner, "ring-inner"}}};

}  // namespace

std::string_view name_of(RankOrder order) { return name_in(kNames, order); }
RankOrder parse_rank_order(std::string_view name) { return parse_in(kNames, "rank order", name); }

}  // namespace cpbench
