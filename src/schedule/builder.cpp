#include "schedule/builder.hpp"

#include <algorithm>

namespace cpbench {
ProgramBuilder::ProgramBuilder(const Case& c, const Tokens& own_tokens) : case_(c) {
  const std::int64_t rows = count_of(own_tokens);
  const Problem& p = problem();
  OwnedBuffers& own = program_.owned;
  own.q = q_like(Role::kQ, rows, p.heads);
  own.kv = kv_like(Role::kKv, p.dtype, rows, p.kv_heads);
  own.out = out_like(Role::kOut, rows, p.heads);
  own.lse = row_scalar(Role::kLse, rows, p.heads);
  if (p.sink) own.sink = per_head(Role::kSink);
  if (c.pass == Pass::kForward) return;
  own.dout = out_like(Role::kDout, rows, p.heads);
  own.dq = q_like(Role::kDq, rows, p.heads);
  own.dkv = kv_like(Role::kDkv, p.dtype, rows, p.kv_heads);
}

DType ProgramBuilder::gradient_dtype() const {
  return case_.accumulate == Accumulate::kFused ? DType::kFp32 : problem().dtype;
}

Program ProgramBuilder::take() { return std::move(program_); }

BufferId ProgramBuilder::add_buffer(Role role, DType dtype, std::int64_t rows, int heads, int dim, int dim_v) {
  program_.buffers.push_back({.role = role, .dtype = dtype, .heads = heads, .dim = dim, .dim_v = dim_v, .rows = rows});
  return static_cast<BufferId>(program_.buffers.size()) - 1;
}

BufferId ProgramBuilder::q_like(Role role, std::int64_t rows, int heads) {
  return add_buffer(role, problem().dtype, rows, heads, problem().head_dim);
}
BufferId ProgramBuilder::out_like(Role role, std::int64_t rows, int heads) {
  return add_buffer(role, problem().dtype, rows, heads, problem().head_dim_v);
}
BufferId ProgramBuilder::kv_like(Role role, DType dtype, std::int64_t rows, int heads) {
  return add_buffer(role, dtype, rows, heads, problem().head_dim, problem().head_dim_v);
}
BufferId ProgramBuilder::row_scalar(Role role, std::int64_t rows, int heads) {
  return add_buffer(role, DType::kFp32, rows, heads, 1);
}
BufferId ProgramBuilder::state(std::int64_t rows, int heads) {
  return add_buffer(Role::kState, DType::kFp32, rows, heads, problem().head_dim_v + 2);
}
BufferId ProgramBuilder::dq_accumulator(std::int64_t rows, int heads) {
  return add_buffer(Role::kAccumulator, gradient_dtype(), rows, heads, problem().head_dim);
}
BufferId ProgramBuilder::per_head(Role role) { return add_buffer(role, DType::kFp32, 1, problem().heads, 1); }

void ProgramBuilder::exchange(Label label, Stream stream, const std::vector<Transfer>& sends,
                              const std::vector<Transfer>& receives) {
  const Slice sent = add_transfers(sends);
  const Slice received = add_transfers(receives);
  add_op(label, stream, Exchange{.ordinal = exchanges_++, .sends = sent, .receives = received});
}

void ProgramBuilder::attend(Label label, Attend attend, const Tokens& q_tokens, const Tokens& k_tokens) {
  const std::vector<Slice> parts = add_tiles(q_tokens, k_tokens);
  const bool first = attend.first, last = attend.last;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    attend.first = first && part == 0;
    attend.last = last && part + 1 == parts.size();
    attend.tiles = parts[part];
    add_op(label, Stream::kCompute, attend);
  }
}

void ProgramBuilder::attend_backward(Label label, AttendBackward attend, const Tokens& q_tokens,
                                     const Tokens& k_tokens) {
  for (const Slice part : add_tiles(q_tokens, k_tokens)) {
    attend.tiles = part;
    add_op(label, Stream::kCompute, attend);
    attend.first_dq = attend.first_dkv = false;
  }
}

void ProgramBuilder::compute(Label label, Action action) { add_op(label, Stream::kCompute, action); }

Slice ProgramBuilder::add_transfers(const std::vector<Transfer>& transfers) {
  Slice slice{static_cast<std::uint32_t>(program_.transfers.size()), 0};
  for (const Transfer& t : transfers) {
    if (t.region.empty()) continue;
    program_.transfers.push_back(t);
    ++slice.count;
  }
  return slice;
}

std::vector<Slice> ProgramBuilder::add_tiles(const Tokens& q_tokens, const Tokens& k_tokens) {
  const std::int64_t keys = count_of(k_tokens);
  const auto parts = static_cast<int>(std::clamp<std::int64_t>(keys, 1, case_.kv_parts));
  std::vector<Slice> slices;
  std::int64_t row = 0;
  for (const Tokens& part : cut(k_tokens, parts)) {
    std::vector<Tile> tiles = tiles_of(q_tokens, part, problem().mask, problem().documents);
    for (Tile& tile : tiles) tile.k_begin += row;
    row += count_of(part);
    if (!tiles.empty()) slices.push_back(tile_lists_.add(program_.tiles, tiles));
  }
  if (slices.empty()) slices.push_back(tile_lists_.add(program_.tiles, std::vector<Tile>()));
  return slices;
}

void ProgramBuilder::add_op(Label label, Stream stream, Action action) {
  program_.ops.push_back({.action = action, .label = label, .stream = stream, .backward = backward_, .after = {}});
}

}  // namespace cpbench
