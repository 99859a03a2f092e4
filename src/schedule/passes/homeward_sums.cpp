#include "schedule/passes/homeward_sums.hpp"

#include <algorithm>
#include <utility>

namespace cpbench {

bool HomewardSums::is_sum(const Edge& edge) const {
  return job_.rank(edge.to).program().buffer(edge.received.buffer).role == Role::kAccumulator && job_.is_relayed(edge);
}

bool HomewardSums::passes_by(PruneRank& rank, const Add& add, const Label& label) {
  const auto arrived = rank.arrived.extract(add.from.buffer);
  const auto legs = rank.homeward.extract(add.from.buffer);
  const bool passes = !arrived.empty() && !rank.held.touches(add.to);
  if (legs.empty() && !passes) return false;
  std::vector<Leg>& all = rank.homeward[add.to.buffer];
  if (!legs.empty()) all.insert(all.end(), legs.mapped().begin(), legs.mapped().end());
  if (passes) {
    all.push_back(arrived.mapped());
    all.back().label = label;
  }
  return passes;
}

void HomewardSums::pass_on_legs(const Edge& edge) const {
  PruneRank& sender = job_.rank(edge.from);
  if (sender.homeward.empty()) return;
  if (!is_sum(edge)) return bring_home(sender, edge.sent.buffer, sender.cursor);
  auto legs = sender.homeward.extract(edge.sent.buffer);
  if (!legs.empty()) job_.rank(edge.to).homeward[edge.received.buffer] = std::move(legs.mapped());
}

void HomewardSums::bring_home(PruneRank& home, BufferId sum, std::size_t id) const {
  auto found = home.homeward.extract(sum);
  if (found.empty()) return;
  std::vector<Leg>& legs = found.mapped();
  std::ranges::stable_sort(legs, {}, &Leg::ordinal);
  const Region parts = send_home(home, sum, legs.front());
  add_as_they_come(home, sum, parts, std::span(legs).subspan(1), id);
  const Region to = home.program().whole(sum);
  const bool holds_data = home.held.touches(to);
  home.insert(id, legs.front().label, holds_data ? Action(Add{to, parts}) : Action(Copy{to, parts}));
  home.held.add(home.program(), to);
}

Region HomewardSums::send_home(PruneRank& home, BufferId sum, const Leg& leg) const {
  PruneRank& sender = job_.rank(leg.rank);
  const Region part = home.program().whole(home.add_buffer_like(sum));
  sender.added_sends[leg.ordinal].push_back({home.number, sender.program().whole(leg.buffer)});
  home.added_receives[leg.ordinal].push_back({leg.rank, part});
  return part;
}

void HomewardSums::add_as_they_come(PruneRank& home, BufferId sum, const Region& parts, std::span<const Leg> legs,
                                    std::size_t end) const {
  std::vector<std::pair<Label, Add>> waiting;
  const auto add_before = [&](std::size_t id) {
    for (const auto& [label, add] : waiting) home.insert(id, label, add);
    waiting.clear();
  };
  for (std::size_t id = 0; id < end && !(legs.empty() && waiting.empty()); ++id) {
    const Action& action = home.op(id).action;
    const auto* exchange = std::get_if<Exchange>(&action);
    const auto comes = [&] { return !legs.empty() && exchange != nullptr && exchange->ordinal == legs[0].ordinal; };
    if (comes()) add_before(id);
    for (; comes(); legs = legs.subspan(1)) {
      waiting.emplace_back(legs[0].label, Add{parts, send_home(home, sum, legs[0])});
    }
    if (std::holds_alternative<AttendBackward>(action) && !home.dead[id]) add_before(id + 1);
  }
  add_before(end);
}

}  // namespace cpbench
