#include "schedule/symbolic_compute.hpp"

#include <map>
#include <utility>

namespace cpbench::brute_force {
namespace {

class Computation {
 public:
  Computation(const Problem& problem, const Program& program, Expectation& expectation, Memory& memory)
      : problem_(problem), program_(program), expectation_(expectation), memory_(memory) {}

  std::vector<Write> run(const Op& op) {
    std::visit([this](const auto& action) { run(action); }, op.action);
    return std::move(writes_);
  }

 private:
  void put(BufferId id, std::int64_t row, std::int32_t head, Element element) {
    memory_.at(id, row, head);  // in bounds?
    writes_.push_back({id, row, head, std::move(element)});
  }

  /// What is accumulated in an element, from anew or going on.
  Element accumulator(BufferId id, std::int64_t row, std::int32_t head, Role kind, bool anew) {
    if (anew) return {.garbage = false, .kind = kind};
    Element e = memory_.at(id, row, head);
    if (!e.is(kind)) return {.garbage = false, .kind = kind, .pairs = {kPoison}};
    return e;
  }

  std::int32_t kv_head(const HeadMap& m, std::int32_t i) const {
    return (m.q_global + i) / problem_.group() - m.kv_global;
  }

  void run(const Exchange&) {}

  void run(const Attend& a) {
    for (std::int32_t i = 0; i < a.heads.count; ++i) {
      const std::int32_t head = a.heads.q_begin + i;
      for (std::int64_t row = 0; row < program_.buffer(a.q).rows; ++row) {
        Element state = accumulator(a.state, row, head, Role::kState, a.first);
        if (a.first && a.sink != kNoBuffer) {
          const Element& sink = memory_.at(a.sink, 0, a.heads.q_global + i);
          state.pairs.push_back(sink.is(Role::kSink) ? sink_pair(sink.head) : kPoison);
        }
        for (const Tile& t : program_.tiles_of(a)) {
          for_keys(t, row, [&](std::int64_t key_row) {
            state.pairs.push_back(pair_of(memory_.at(a.q, row, head), memory_.at(a.kv, key_row, kv_head(a.heads, i))));
          });
        }
        if (a.last) {
          for (const auto& [id, kind] : {std::pair(a.out, Role::kOut), {a.lse, Role::kLse}}) {
            Element result = state;
            result.kind = kind;
            expectation_.judge(result);
            put(id, row, head, result);
          }
        }
        put(a.state, row, head, std::move(state));
      }
    }
  }

  void run(const AttendBackward& a) {
    std::map<std::pair<std::int64_t, std::int32_t>, Element> dkv;
    const auto gradient_of = [&](std::int64_t row, std::int32_t head) -> Element& {
      const auto [it, is_new] = dkv.try_emplace({row, head});
      if (is_new) it->second = accumulator(a.dkv, row, head, Role::kDkv, a.first_dkv);
      return it->second;
    };
    if (a.first_dkv) Memory::for_each(program_.whole(a.dkv), gradient_of);
    for (std::int32_t i = 0; i < a.heads.count; ++i) {
      const std::int32_t head = a.heads.q_begin + i;
      for (std::int64_t row = 0; row < program_.buffer(a.q).rows; ++row) {
        Element dq = accumulator(a.dq, row, head, Role::kDq, a.first_dq);
        const Element &q = memory_.at(a.q, row, head), &dout = memory_.at(a.dout, row, head);
        const bool sound = is_complete(memory_.at(a.lse, row, head), Role::kLse, q) &&
                           is_complete(memory_.at(a.delta, row, head), Role::kDelta, q) && dout.is(Role::kDout) &&
                           dout.token == q.token && dout.head == q.head;
        for (const Tile& t : program_.tiles_of(a)) {
          for_keys(t, row, [&](std::int64_t key_row) {
            const std::int32_t kv = kv_head(a.heads, i);
            const auto pair = sound ? pair_of(q, memory_.at(a.kv, key_row, kv)) : kPoison;
            dq.pairs.push_back(pair);
            gradient_of(key_row, kv).pairs.push_back(pair);
          });
        }
        put(a.dq, row, head, std::move(dq));
      }
    }
    for (auto& [place, element] : dkv) put(a.dkv, place.first, place.second, std::move(element));
  }

  void run(const Delta& d) {
    Memory::for_each(program_.whole(d.out), [&](std::int64_t row, std::int32_t head) {
      Element delta = memory_.at(d.out, row, head);
      const Element& dout = memory_.at(d.dout, row, head);
      delta.complete = delta.is(Role::kOut) && dout.is(Role::kDout) && is_complete(delta, Role::kOut, dout);
      delta.kind = Role::kDelta;
      put(d.delta, row, head, delta);
    });
  }

  void run(const SinkGradient& s) {
    std::vector<Element> gradients(static_cast<std::size_t>(problem_.heads), {.garbage = false, .kind = Role::kDsink});
    for (std::int32_t i = 0; i < s.heads.count; ++i) {
      const std::int32_t head = s.heads.q_global + i;
      Element& gradient = gradients.at(static_cast<std::size_t>(head));
      const Element& sink = memory_.at(s.sink, 0, head);
      for (std::int64_t row = 0; row < program_.buffer(s.lse).rows; ++row) {
        const Element& lse = memory_.at(s.lse, row, s.heads.q_begin + i);
        const bool sound = lse.is(Role::kLse) && lse.complete && sink.is(Role::kSink) && sink.head == lse.head &&
                           is_complete(memory_.at(s.delta, row, s.heads.q_begin + i), Role::kDelta, lse);
        gradient.pairs.push_back(sound ? std::array{lse.token, sink_pair(lse.head)[1], lse.head} : kPoison);
      }
    }
    for (std::int32_t h = 0; h < problem_.heads; ++h) put(s.dsink, 0, h, gradients[static_cast<std::size_t>(h)]);
  }

  void run(const Add& a) {
    zip(a.to, a.from, [&](std::int64_t row, std::int32_t head, const Element& from) {
      Element to = memory_.at(a.to.buffer, row, head);
      const bool sums = to.is(Role::kDq) || to.is(Role::kDkv) || to.is(Role::kDsink);
      if (sums && from.is(to.kind)) {
        to.pairs.insert(to.pairs.end(), from.pairs.begin(), from.pairs.end());
      } else {
        to = {};
      }
      put(a.to.buffer, row, head, to);
    });
  }

  void run(const Copy& c) {
    zip(c.to, c.from,
        [&](std::int64_t row, std::int32_t head, const Element& from) { put(c.to.buffer, row, head, from); });
  }

  void run(const Merge& m) {
    for (std::int32_t head = m.heads.q_begin; head < m.heads.q_begin + m.heads.count; ++head) {
      for (std::int64_t row = 0; row < program_.buffer(m.out).rows; ++row) {
        Element out = memory_.at(m.out, row, head);
        const Element &lse = memory_.at(m.lse, row, head), &partial = memory_.at(m.partial_out, row, head),
                      &partial_lse = memory_.at(m.partial_lse, row, head);
        if (out.is(Role::kOut) && lse.is(Role::kLse) && out.pairs == lse.pairs && partial.is(Role::kOut) &&
            partial_lse.is(Role::kLse) && partial.pairs == partial_lse.pairs) {
          out.pairs.insert(out.pairs.end(), partial.pairs.begin(), partial.pairs.end());
          expectation_.judge(out);
        } else {
          out = {};
        }
        put(m.out, row, head, out);
        out.kind = Role::kLse;
        put(m.lse, row, head, out);
      }
    }
  }

  template <typename Visitor>
  void zip(const Region& to, const Region& from, Visitor&& visit) {
    if (to.row_count != from.row_count || to.head_count != from.head_count) wrong("shapes differ");
    Memory::for_each(to, [&](std::int64_t row, std::int32_t head) {
      visit(row, head,
            memory_.at(from.buffer, row - to.row_begin + from.row_begin, head - to.head_begin + from.head_begin));
    });
  }

  /// The key rows that a query row of the buffer sees in a tile.
  template <typename Visitor>
  static void for_keys(const Tile& t, std::int64_t row, Visitor&& visit) {
    const std::int64_t i = row - t.q_begin;
    if (i < 0 || i >= t.q_count) return;
    for (std::int64_t j = 0; j < t.k_count; ++j) {
      if (i + t.lo <= j && j <= i + t.hi) visit(t.k_begin + j);
    }
  }

  std::array<std::int32_t, 3> sink_pair(std::int32_t head) const {
    return {kAnyToken, static_cast<std::int32_t>(problem_.seq_len), head};
  }
  std::array<std::int32_t, 3> pair_of(const Element& q, const Element& kv) const {
    if (!q.is(Role::kQ) || !kv.is(Role::kKv) || kv.head != q.head / problem_.group()) return kPoison;
    return {q.token, kv.token, q.head};
  }
  static bool is_complete(const Element& e, Role kind, const Element& of) {
    return e.is(kind) && e.complete && e.token == of.token && e.head == of.head;
  }

  const Problem& problem_;
  const Program& program_;
  Expectation& expectation_;
  Memory& memory_;
  std::vector<Write> writes_;
};

}  // namespace

std::vector<Write> compute(const Problem& problem, const Program& program, Expectation& expectation, Memory& memory,
                           const Op& op) {
  return Computation(problem, program, expectation, memory).run(op);
}

}  // namespace cpbench::brute_force
