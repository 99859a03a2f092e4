#include "schedule/passes/prune_rank.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "schedule/passes/operand_visitor.hpp"

namespace cpbench {
namespace {

/// Operations of a chain (the attends on one state, or on one dq) of which only those with tiles are worth running.
using Chains = std::map<std::pair<BufferId, int>, std::vector<std::size_t>>;

template <typename AttendKind>
const AttendKind& attend_at(const PruneRank& rank, std::size_t id) {
  return std::get<AttendKind>(rank.op(id).action);
}

/// The operations of a chain that stay: those with tiles, or `else_keep` where none has.
template <typename AttendKind>
std::vector<std::size_t> keep_those_with_tiles(PruneRank& rank, const std::vector<std::size_t>& chain,
                                               std::size_t else_keep) {
  std::vector<std::size_t> kept;
  for (const std::size_t id : chain) {
    if (attend_at<AttendKind>(rank, id).tiles.count > 0) {
      kept.push_back(id);
    } else {
      rank.dead[id] = 1;
    }
  }
  if (kept.empty()) {
    rank.dead[else_keep] = 0;
    kept.push_back(else_keep);
  }
  return kept;
}

/// Sets a flag of an attend, which is left alone where it is set.
template <typename AttendKind>
void set(PruneRank& rank, std::size_t id, bool AttendKind::*flag) {
  if (!(attend_at<AttendKind>(rank, id).*flag)) std::get<AttendKind>(rank.edit(id).action).*flag = true;
}

void append_found(const std::unordered_map<std::int32_t, std::vector<Transfer>>& by_ordinal, std::int32_t ordinal,
                  std::vector<Transfer>& transfers) {
  const auto found = by_ordinal.find(ordinal);
  if (found != by_ordinal.end()) transfers.insert(transfers.end(), found->second.begin(), found->second.end());
}

}  // namespace

PruneRank::PruneRank(int rank, Program& p)
    : number(rank),
      dead(p.ops.size(), 0),
      held(p.buffers.size()),
      needed(p.buffers.size()),
      read_here(p.buffers.size(), 0),
      live(p.transfers.size(), 0),
      from(p.transfers.size(), 0),
      program_(&p) {
  stand_ins.reserve(p.buffers.size());
  origin.reserve(p.buffers.size());
  for (BufferId id = 0; id < static_cast<BufferId>(p.buffers.size()); ++id) {
    stand_ins.push_back(id);
    origin.push_back({rank, id});
  }
  for (const BufferId id : p.owned.inputs()) held.add(p, p.whole(id)), read_here[at(id)] = 1;
  for (const BufferId id : p.owned.results()) needed.add(p, p.whole(id)), read_here[at(id)] = 1;
}

BufferId PruneRank::add_buffer_like(BufferId id) {
  program_->buffers.push_back(program().buffer(id));
  stand_ins.push_back(static_cast<BufferId>(program().buffers.size()) - 1);
  return stand_ins.back();
}

void PruneRank::insert(std::size_t id, const Label& label, const Action& action) {
  inserted_[id].push_back(
      {.action = action, .label = label, .stream = Stream::kCompute, .backward = true, .after = {}});
}

std::vector<std::uint32_t> PruneRank::by_peer(Slice slice) const {
  std::vector<std::uint32_t> sorted(slice.count);
  std::iota(sorted.begin(), sorted.end(), slice.begin);
  const auto peer = [&](std::uint32_t transfer) { return program().transfers[transfer].peer; };
  if (!std::ranges::is_sorted(sorted, {}, peer)) std::ranges::stable_sort(sorted, {}, peer);
  return sorted;
}

void PruneRank::drop_empty_attends() {
  Chains forward, backward;
  for (std::size_t id = 0; id < program().ops.size(); ++id) {
    const Action& action = op(id).action;
    if (const auto* a = std::get_if<Attend>(&action)) forward[{a->state, a->heads.q_begin}].push_back(id);
    if (const auto* a = std::get_if<AttendBackward>(&action)) backward[{a->dq, a->heads.q_begin}].push_back(id);
  }
  // Where no step has tiles the one with the rank's own block stays, to write what an empty result is.
  for (const auto& [key, chain] : forward) {
    const auto kept = keep_those_with_tiles<Attend>(*this, chain, chain.front());
    set(*this, kept.front(), &Attend::first);
    set(*this, kept.back(), &Attend::last);
  }
  for (const auto& [key, chain] : backward) {
    const auto kept = keep_those_with_tiles<AttendBackward>(*this, chain, chain.back());
    set(*this, kept.front(), &AttendBackward::first_dq);
  }
}

Exchange PruneRank::remaining(std::size_t id, PagedVector<Transfer>& pool) const {
  Exchange exchange = std::get<Exchange>(op(id).action);
  std::vector<Transfer> sends, receives, redirected;
  for (std::uint32_t t = exchange.sends.begin; t < exchange.sends.begin + exchange.sends.count; ++t) {
    if (live[t]) sends.push_back(program().transfers[t]);
  }
  for (std::uint32_t t = exchange.receives.begin; t < exchange.receives.begin + exchange.receives.count; ++t) {
    if (!live[t]) continue;
    const auto other = rerouted.find(t);
    std::vector<Transfer>& listed = other == rerouted.end() ? receives : redirected;
    listed.push_back(program().transfers[t]);
    if (other != rerouted.end()) listed.back().peer = other->second;
  }
  // On both sides, what goes home comes after the listed ones of two ranks, and those that were redirected come last.
  append_found(added_sends, exchange.ordinal, sends);
  append_found(added_receives, exchange.ordinal, receives);
  receives.insert(receives.end(), redirected.begin(), redirected.end());
  for (Transfer& t : sends) t.region.buffer = stand_ins[at(t.region.buffer)];
  const auto list = [&](std::vector<Transfer>& transfers) {
    std::ranges::stable_sort(transfers, {}, &Transfer::peer);
    const auto begin = static_cast<std::uint32_t>(pool.size());
    pool.insert(pool.end(), transfers.begin(), transfers.end());
    return Slice{begin, static_cast<std::uint32_t>(transfers.size())};
  };
  exchange.sends = list(sends);
  exchange.receives = list(receives);
  return exchange;
}

void PruneRank::emit_inserted(std::size_t id, PagedVector<Op>& ops) const {
  const auto found = inserted_.find(id);
  if (found != inserted_.end()) ops.insert(ops.end(), found->second.begin(), found->second.end());
}

void PruneRank::rebuild() {
  PagedVector<Op> ops;
  PagedVector<Transfer> transfers;
  for (std::size_t id = 0; id < program().ops.size(); ++id) {
    emit_inserted(id, ops);
    Op kept = op(id);
    if (std::holds_alternative<Exchange>(kept.action)) {
      const Exchange exchange = remaining(id, transfers);
      if (exchange.sends.count + exchange.receives.count == 0) continue;
      kept.action = exchange;
    } else {
      if (dead[id]) continue;
      for_each_operand(kept, [&](BufferId& buffer) { buffer = stand_ins[at(buffer)]; });
    }
    ops.push_back(kept);
  }
  emit_inserted(program().ops.size(), ops);
  program_->ops = std::move(ops);
  program_->transfers = std::move(transfers);
}

}  // namespace cpbench
