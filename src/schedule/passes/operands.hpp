// The buffers that operations name.
#pragma once

#include <initializer_list>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

/// Calls `visit` with a reference to each buffer id of an operation, but for kNoBuffer.
template <typename Visitor>
class OperandVisitor {
 public:
  OperandVisitor(Program& program, Visitor visit) : program_(program), visit_(visit) {}

  void operator()(Exchange& e) { transfers(e.sends), transfers(e.receives); }
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
  void transfers(Slice slice) {
    for (std::uint32_t t = 0; t < slice.count; ++t) each({&program_.transfers[slice.begin + t].region.buffer});
  }

  Program& program_;
  Visitor visit_;
};

template <typename Visitor>
void for_each_buffer(Program& program, Op& op, Visitor visit) {
  std::visit(OperandVisitor(program, visit), op.action);
}

/// Replaces each buffer `id` that the operation names by `names[id]`.
inline void rename_buffers(Program& program, Op& op, const std::vector<BufferId>& names) {
  for_each_buffer(program, op, [&](BufferId& id) { id = names[static_cast<std::size_t>(id)]; });
}

}  // namespace cpbench
