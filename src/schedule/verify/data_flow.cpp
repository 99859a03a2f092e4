#include "schedule/verify/data_flow.hpp"

#include <algorithm>

#include "schedule/verify/allowed.hpp"

namespace cpbench::verification {

DataFlow::DataFlow(const Schedule& schedule, const Positions& positions, Faults& faults)
    : schedule_(schedule),
      positions_(positions),
      faults_(faults),
      contents_(schedule, positions),
      row_maps_(positions) {}

void DataFlow::on_compute(int rank, OpId op) {
  if (!faults_.none()) return;
  rank_ = rank;
  op_ = op;
  std::visit([this](const auto& action) { follow(action); }, program().ops[static_cast<std::size_t>(op)].action);
}

void DataFlow::on_transfer(const Endpoint& from, const Endpoint& to) {
  if (!faults_.none()) return;
  rank_ = from.rank;
  op_ = from.op;
  move(contents_.of(from.rank, from.region.buffer), from.region, contents_.of(to.rank, to.region.buffer), to.region);
}

// --- Operations ----------------------------------------------------------------------------------------------------

void DataFlow::follow(const Attend& a) {
  const auto tiles = program().tiles_of(a);
  const Region key_box = attended_keys(a.kv, a.heads, tiles);
  const std::int32_t shift = a.heads.q_global - a.heads.q_begin;
  std::optional<RowMapId> rows;
  if (!expect(a.q, a.heads, Role::kQ, rows)) return;
  const RowMapId keys = rows_of(key_box, Role::kKv, a.heads.kv_global);
  if (!expect_allowed(tiles, *rows, keys)) return;
  if (!a.first && !expect(a.state, a.heads, Role::kState, rows)) return;
  if (a.first && a.sink != kNoBuffer && !expect_sink(a.sink, a.heads)) return;

  const EventId event = provenance_.add({rank_, op_, *rows, keys});
  const Region state = mapped_heads(a.state, a.heads);
  if (a.first) {
    begin(state, Role::kState, shift, *rows, event);
  } else {
    contribute(state, event);
  }
  if (a.last) write_results(a);
}

void DataFlow::write_results(const Attend& a) {
  map(a.state).visit(mapped_heads(a.state, a.heads), [&](const ContentMap::Cell& c) {
    Region box{a.out, c.head_begin, c.head_end - c.head_begin, c.row_begin, c.row_end - c.row_begin};
    Content result = c.value;
    result.kind = Role::kOut;
    map(a.out).assign(box, result);
    box.buffer = a.lse;
    result.kind = Role::kLse;
    map(a.lse).assign(box, result);
  });
}

void DataFlow::follow(const AttendBackward& a) {
  const auto tiles = program().tiles_of(a);
  const Region key_box = attended_keys(a.kv, a.heads, tiles);
  std::optional<RowMapId> rows;
  if (!expect(a.q, a.heads, Role::kQ, rows) || !expect(a.dout, a.heads, Role::kDout, rows) ||
      !expect(a.lse, a.heads, Role::kLse, rows) || !expect(a.delta, a.heads, Role::kDelta, rows)) {
    return;
  }
  claim_complete(a.lse, a.heads);
  claim_complete(a.delta, a.heads);
  const RowMapId keys = rows_of(key_box, Role::kKv, a.heads.kv_global);
  if (!expect_allowed(tiles, *rows, keys)) return;
  if (!a.first_dq && !expect(a.dq, a.heads, Role::kDq, rows)) return;

  const EventId event = provenance_.add({rank_, op_, *rows, keys});
  const Region dq = mapped_heads(a.dq, a.heads);
  if (a.first_dq) {
    begin(dq, Role::kDq, a.heads.q_global - a.heads.q_begin, *rows, event);
  } else {
    contribute(dq, event);
  }

  Region dkv = key_box;
  dkv.buffer = a.dkv;
  if (a.first_dkv) {
    map(a.dkv).assign(program().whole(a.dkv), {.state = Content::kZero, .kind = Role::kDkv});
    begin(dkv, Role::kDkv, a.heads.kv_global, keys, event);
    return;
  }
  settle_zeros(dkv, a.heads.kv_global, keys);
  if (rows_of(dkv, Role::kDkv, a.heads.kv_global) != keys) {
    return fail("{} does not hold the gradients of the keys that it is added to", describe(program(), dkv));
  }
  contribute(dkv, event);
}

void DataFlow::follow(const Delta& d) {
  const Region out = program().whole(d.out);
  const HeadMap all{.q_begin = 0, .count = out.head_count, .q_global = 0, .kv_global = 0};
  zip(map(d.out), out, map(d.dout), program().whole(d.dout),
      [&](Region box, const Content& result, const Content& dout) {
        if (!result.is(Role::kOut) || !dout.is(Role::kDout) || !result.same_place(dout)) {
          return fail("{} and dout (buffer {}) do not hold the same finished rows and heads", describe(program(), box),
                      d.dout);
        }
        Content delta = result;
        delta.kind = Role::kDelta;
        box.buffer = d.delta;
        map(d.delta).assign(box, delta);
      });
  if (faults_.none()) claim_complete(d.out, all);
}

void DataFlow::follow(const SinkGradient& s) {
  std::optional<RowMapId> rows;
  if (!expect(s.lse, s.heads, Role::kLse, rows) || !expect(s.delta, s.heads, Role::kDelta, rows) ||
      !expect_sink(s.sink, s.heads)) {
    return;
  }
  claim_complete(s.lse, s.heads);
  claim_complete(s.delta, s.heads);
  const EventId event = provenance_.add({rank_, op_, *rows, row_maps_.intern({})});
  map(s.dsink).assign(
      program().whole(s.dsink),
      {.state = Content::kKnown, .kind = Role::kDsink, .node = provenance_.contribute(event, kNothing)});
}

void DataFlow::follow(const Add& a) {
  std::vector<std::pair<Region, Content>> sums;
  Content last_to, last_from;
  NodeId last_sum = kNothing;
  zip(map(a.to.buffer), a.to, map(a.from.buffer), a.from,
      [&](const Region& box, const Content& to, const Content& from) {
        const auto summable = [](const Content& c) {
          return c.state == Content::kZero || c.is(Role::kDq) || c.is(Role::kDkv) || c.is(Role::kDsink);
        };
        const bool zero = to.state == Content::kZero || from.state == Content::kZero;
        if (!summable(to) || !summable(from) || to.kind != from.kind || (!zero && !to.same_place(from))) {
          return fail("adds {} to {}: they hold different things", describe(program(), a.from),
                      describe(program(), box));
        }
        Content sum = to.state == Content::kZero ? from : to;
        if (!zero) {
          // One node for all boxes that add the same two.
          if (last_sum == kNothing || last_to.node != to.node || last_from.node != from.node) {
            last_sum = provenance_.sum(to.node, from.node);
          }
          last_to = to;
          last_from = from;
          sum.node = last_sum;
        }
        sums.emplace_back(box, sum);
      });
  for (const auto& [box, sum] : sums) map(a.to.buffer).assign(box, sum);
}

void DataFlow::follow(const Copy& c) { move(map(c.from.buffer), c.from, map(c.to.buffer), c.to); }

void DataFlow::follow(const Merge& m) {
  // First that each pair of out and lse is one result, then that both pairs are of the same rows.
  const auto is_pair = [&](BufferId out, BufferId lse) {
    bool pair = true;
    zip(map(out), mapped_heads(out, m.heads), map(lse), mapped_heads(lse, m.heads),
        [&](const Region&, const Content& a, const Content& b) {
          pair = pair && a.is(Role::kOut) && b.is(Role::kLse) && a.same_place(b) && a.node == b.node;
        });
    if (!pair) fail("out (buffer {}) and lse (buffer {}) are not one finished result", out, lse);
    return pair;
  };
  if (!is_pair(m.out, m.lse) || !is_pair(m.partial_out, m.partial_lse)) return;
  std::vector<std::pair<Region, Content>> merged;
  zip(map(m.out), mapped_heads(m.out, m.heads), map(m.partial_out), mapped_heads(m.partial_out, m.heads),
      [&](const Region& box, Content result, const Content& partial) {
        if (!result.same_place(partial)) {
          return fail("merges {} with a partial result of other rows or heads", describe(program(), box));
        }
        result.node = provenance_.sum(result.node, partial.node);
        merged.emplace_back(box, result);
      });
  for (auto& [box, result] : merged) {
    map(m.out).assign(box, result);
    box.buffer = m.lse;
    result.kind = Role::kLse;
    map(m.lse).assign(box, result);
  }
}

// --- Operands ------------------------------------------------------------------------------------------------------

Region DataFlow::attended_keys(BufferId kv, const HeadMap& heads, std::span<const Tile> tiles) const {
  const RowSpan rows = key_span(tiles);
  const int group = schedule_.of.problem.group();
  const int first = heads.q_global / group, last = (heads.q_global + heads.count - 1) / group;
  return {kv, first - heads.kv_global, last - first + 1, rows.begin, rows.count()};
}

RowMapId DataFlow::rows_of(const Region& box, Role kind, std::int32_t head_shift) {
  find_runs(map(box.buffer), box, kind, head_shift, runs_);
  return row_maps_.intern(runs_);
}

bool DataFlow::expect(BufferId id, const HeadMap& heads, Role kind, std::optional<RowMapId>& rows) {
  const Region box = mapped_heads(id, heads);
  const std::int32_t shift = heads.q_global - heads.q_begin;
  find_runs(map(id), box, kind, shift, runs_);
  if (rows && runs_ == row_maps_[*rows].runs) return true;
  if (!rows) {
    const RowMapId found = row_maps_.intern(runs_);
    if (row_maps_[found].rows() == box.row_count && row_maps_[found].injective) {
      rows = found;
      return true;
    }
  }
  bool told = false;
  map(id).visit(box, [&](const ContentMap::Cell& c) {
    if (told || (c.value.is(kind) && c.value.head_shift == shift)) return;
    fail("{} must hold {} of heads {} and up, but row {} holds {}", describe(program(), box), name_of(kind),
         heads.q_global, c.row_begin, describe(c, positions_));
    told = true;
  });
  if (!told) {
    fail("{} must hold {}{}", describe(program(), box), name_of(kind),
         rows ? " of the same tokens as q" : ", in a row of one token, and no token twice");
  }
  return false;
}

bool DataFlow::expect_sink(BufferId sink, const HeadMap& heads) {
  bool good = schedule_.of.problem.sink;
  map(sink).visit({sink, heads.q_global, heads.count, 0, 1}, [&](const ContentMap::Cell& c) {
    good = good && c.value.is(Role::kSink) && c.value.head_shift == 0;
  });
  if (!good) fail("sink (buffer {}) does not hold the sinks of the problem", sink);
  return good;
}

bool DataFlow::expect_allowed(std::span<const Tile> tiles, RowMapId rows, RowMapId keys) {
  const std::optional<std::string> fault =
      find_forbidden(schedule_.of.problem, tiles, row_maps_[rows], row_maps_[keys]);
  if (fault) fail("{}", *fault);
  return !fault;
}

// --- Contents ------------------------------------------------------------------------------------------------------

void DataFlow::begin(const Region& box, Role kind, std::int32_t head_shift, RowMapId rows, EventId event) {
  const NodeId node = provenance_.contribute(event, kNothing);
  for (const RowRun& run : row_maps_[rows].runs) {
    map(box.buffer)
        .assign({box.buffer, box.head_begin, box.head_count, run.row_begin, run.row_end - run.row_begin},
                {.state = Content::kKnown,
                 .kind = kind,
                 .head_shift = head_shift,
                 .row_shift = run.position - run.row_begin,
                 .node = node});
  }
}

void DataFlow::contribute(const Region& box, EventId event) {
  std::optional<NodeId> before;
  NodeId after = kNothing;
  map(box.buffer).update(box, [&](Content& c) {
    if (c.state != Content::kKnown) return;
    if (before != c.node) {
      before = c.node;
      after = provenance_.contribute(event, c.node);
    }
    c.node = after;
  });
}

void DataFlow::settle_zeros(const Region& box, std::int32_t head_shift, RowMapId keys) {
  for (const RowRun& run : row_maps_[keys].runs) {
    map(box.buffer)
        .update({box.buffer, box.head_begin, box.head_count, run.row_begin, run.row_end - run.row_begin},
                [&](Content& c) {
                  if (c.state != Content::kZero) return;
                  c = {.state = Content::kKnown,
                       .kind = Role::kDkv,
                       .head_shift = head_shift,
                       .row_shift = run.position - run.row_begin};
                });
  }
}

// --- Claims --------------------------------------------------------------------------------------------------------

void DataFlow::claim(const ContentMap::Cell& cell, Role kind, const char* use) {
  claims_.add(cell, kind, positions_, [&] {
    const std::string who = op_ < 0 ? fmt::format("rank {}", rank_) : describe(rank_, program(), op_);
    return fmt::format("{} {} {}", who, use, name_of(kind));
  });
}

void DataFlow::claim_complete(BufferId id, const HeadMap& heads) {
  map(id).visit(mapped_heads(id, heads), [&](const ContentMap::Cell& c) { claim(c, c.value.kind, "reads"); });
}

void DataFlow::check_results() {
  op_ = -1;
  const Case& c = schedule_.of;
  for (int rank = 0; rank < static_cast<int>(schedule_.programs.size()); ++rank) {
    const OwnedBuffers& own = schedule_.programs[static_cast<std::size_t>(rank)].owned;
    check_result(rank, own.out, Role::kOut);
    check_result(rank, own.lse, Role::kLse);
    if (c.pass == Pass::kForward) continue;
    check_result(rank, own.dq, Role::kDq);
    check_result(rank, own.dkv, Role::kDkv);
    if (c.problem.sink && rank == 0) check_result(rank, own.dsink, Role::kDsink);
  }
}

void DataFlow::check_result(int rank, BufferId id, Role kind) {
  rank_ = rank;
  if (id == kNoBuffer) return faults_.add("rank {} owns no {}", rank, name_of(kind));
  const std::int64_t first = kind == Role::kDsink ? 0 : positions_.first_of(rank);
  map(id).visit(program().whole(id), [&](ContentMap::Cell c) {
    if (c.value.state == Content::kZero) {
      c.value.head_shift = 0;
      c.value.row_shift = first;
    }
    if (c.value.state == Content::kUnwritten || c.value.kind != kind || c.value.head_shift != 0 ||
        c.value.row_shift != first) {
      return faults_.add("rank {}: rows [{}, {}), heads [{}, {}) of its {} (buffer {}) begin with {}, expected its own",
                         rank, c.row_begin, c.row_end, c.head_begin, c.head_end, name_of(kind), id,
                         describe(c, positions_));
    }
    claim(c, kind, "has as");
  });
}

}  // namespace cpbench::verification
