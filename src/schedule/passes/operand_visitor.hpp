// The buffers that operations name.
#pragma once

#include <initializer_list>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

/// Calls `visit` with a reference to each buffer id of an operation itself, but for kNoBuffer.
template <typename Visitor>
class OperandVisitor {
 public:
  explicit OperandVisitor(Visitor visit) : visit_(visit) {}

  void operator()(Exchange&) {}  // its transfers name buffers
  void operator()(Attend& a) { each({&a.q, &a.kv, &a.state, &a.out, &a.lse, &a.sink}); }
  void operator()(AttendBackward& a) { each({&a.q, &a.kv, &a.dout, &a.lse, &a.delta, &a.dq, &a.dkv}); }
  void operator()(Delta& d) { each({&d.out, &d.dout, &d.delta}); }
  void operator()(SinkGradient& s) { each({&s.sink, &s.lse, &s.delta, &s.dsink}); }
  void operator()(Add& a) { each({&a.to.buffer, &a.from.buffer}); }
  void operator()(Copy& c) { each({&c.to.buffer, &c.from.buffer}); }
  void operator()(Merge& m) { each({&m.out, &m.lse, &m.partial_out, &m.partial_lse}); }
  void operator()(OwnedBuffers& o) { each({&o.q, &o.kv, &o.dout, &o.sink, &o.out, &o.lse, &o.dq, &o.dkv, &o.dsink}); }

 private:
  void each(std::initializer_list<BufferId*> ids) {
    for (BufferId* id : ids) {
      if (*id != kNoBuffer) visit_(*id);
    }
  }

  Visitor visit_;
};

template <typename Visitor>
void for_each_operand(Op& op, Visitor visit) {
  std::visit(OperandVisitor(visit), op.action);
}

/// Those of an exchange's transfers too.
template <typename Visitor>
void for_each_buffer(Program& program, Op& op, Visitor visit) {
  for_each_operand(op, visit);
  const auto* exchange = std::get_if<Exchange>(&op.action);
  if (exchange == nullptr) return;
  for (const Slice slice : {exchange->sends, exchange->receives}) {
    for (std::uint32_t t = 0; t < slice.count; ++t) visit(program.transfers[slice.begin + t].region.buffer);
  }
}

/// Replaces each buffer `id` that the operation names by `names[id]`.
inline void rename_buffers(Program& program, Op& op, const std::vector<BufferId>& names) {
  for_each_buffer(program, op, [&](BufferId& id) { id = names[static_cast<std::size_t>(id)]; });
}

}  // namespace cpbench
