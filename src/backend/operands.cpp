#include "backend/operands.hpp"

#include <algorithm>
#include <cstring>

namespace cpbench {
namespace {

TensorView tensor(const ProgramMemory& memory, BufferId id) { return memory.view(id).first; }

BufferView first_rows(const BufferView& pair, std::int64_t rows) {
  return {pair.first.box(0, rows, 0, pair.first.heads), pair.second.box(0, rows, 0, pair.second.heads)};
}

}  // namespace

void Backend::write(std::byte* to, std::span<const std::byte> from) { std::memcpy(to, from.data(), from.size()); }
void Backend::read(std::span<std::byte> to, const std::byte* from) { std::memcpy(to.data(), from, to.size()); }
void Backend::fill(std::span<std::byte> memory, std::byte value) { std::ranges::fill(memory, value); }

const float* sink_of(BufferId sink, const ProgramMemory& memory) {
  return sink == kNoBuffer ? nullptr : tensor(memory, sink).at<const float>(0, 0, 0);
}

AttendArguments operands_of(const Attend& op, const ProgramMemory& memory) {
  const BufferView kv = memory.view(op.kv);
  return {.q = tensor(memory, op.q),
          .k = kv.first,
          .v = kv.second,
          .state = tensor(memory, op.state).at<float>(0, 0, 0),
          .out = op.last ? tensor(memory, op.out) : TensorView{},
          .lse = op.last ? tensor(memory, op.lse) : TensorView{},
          .sink = sink_of(op.sink, memory),
          .heads = op.heads,
          .group = memory.problem->group(),
          .scale = memory.problem->scale,
          .first = op.first,
          .last = op.last,
          .tiles = memory.program->tiles_of(op)};
}

AttendBackwardArguments operands_of(const AttendBackward& op, const ProgramMemory& memory) {
  // Buffers that blocks of slightly different lengths share may have rows to spare, which no tile reaches.
  const BufferView whole_kv = memory.view(op.kv), whole_dkv = memory.view(op.dkv);
  const std::int64_t rows = std::min(whole_kv.first.rows, whole_dkv.first.rows);
  const BufferView kv = first_rows(whole_kv, rows), dkv = first_rows(whole_dkv, rows);
  return {.q = tensor(memory, op.q),
          .k = kv.first,
          .v = kv.second,
          .dout = tensor(memory, op.dout),
          .lse = tensor(memory, op.lse),
          .delta = tensor(memory, op.delta),
          .dq = tensor(memory, op.dq),
          .dk = dkv.first,
          .dv = dkv.second,
          .heads = op.heads,
          .group = memory.problem->group(),
          .scale = memory.problem->scale,
          .first_dq = op.first_dq,
          .first_dkv = op.first_dkv,
          .tiles = memory.program->tiles_of(op)};
}

BufferView view_of_region(const ProgramMemory& memory, const Region& region) {
  BufferView view = memory.view(region.buffer);
  const auto cut = [&](const TensorView& tensor) {
    return tensor.box(region.row_begin, region.row_count, region.head_begin, region.head_count);
  };
  view.first = cut(view.first);
  if (view.second.data != nullptr) view.second = cut(view.second);
  return view;
}

}  // namespace cpbench
