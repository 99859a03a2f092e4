// How an algorithm writes a program: buffers and operations, in an order in which they could run one after the other.
#pragma once

#include <cstdint>
#include <vector>

#include "schedule/case.hpp"
#include "schedule/list_interner.hpp"
#include "schedule/program.hpp"

namespace cpbench {

/// A range of heads.
struct HeadRange {
  int begin = 0, count = 0;
  int end() const { return begin + count; }
};

/// Builds the program of one rank. The rules for an algorithm:
///  - write each received or computed block into a buffer of its own (passes.hpp lets them share memory);
///  - state no dependencies (a pass derives them from what operations read and write);
///  - call `exchange` equally often, in the same order, on every rank, with empty lists where a rank has no part in it.
class ProgramBuilder {
 public:
  ProgramBuilder(const Case& c, const Tokens& own_tokens);

  const Case& of() const { return case_; }
  const Problem& problem() const { return case_.problem; }
  /// Storage of gradients on their way: fp32, or the problem's dtype with `--accumulate merge`.
  DType gradient_dtype() const;

  OwnedBuffers& owned() { return program_.owned; }
  Region whole(BufferId id) const { return program_.whole(id); }
  std::int64_t rows_of(BufferId id) const { return program_.buffer(id).rows; }
  int heads_of(BufferId id) const { return program_.buffer(id).heads; }

  BufferId q_like(Role role, std::int64_t rows, int heads);                ///< Q, dQ: head_dim, storage dtype
  BufferId out_like(Role role, std::int64_t rows, int heads);              ///< out, dout: head_dim_v
  BufferId kv_like(Role role, DType dtype, std::int64_t rows, int heads);  ///< K/V pairs and their gradients
  BufferId row_scalar(Role role, std::int64_t rows, int heads);            ///< lse, delta: fp32
  BufferId state(std::int64_t rows, int heads);
  BufferId dq_accumulator(std::int64_t rows, int heads);
  BufferId per_head(Role role);  ///< sinks: one fp32 for every query head

  /// Everything after this belongs to the backward pass.
  void begin_backward() { backward_ = true; }

  void exchange(Label label, Stream stream, const std::vector<Transfer>& sends, const std::vector<Transfer>& receives);
  /// `attend.tiles` is filled in from the tokens of the two operands' rows; one operation for each part of the keys.
  void attend(Label label, Attend attend, const Tokens& q_tokens, const Tokens& k_tokens);
  void attend_backward(Label label, AttendBackward attend, const Tokens& q_tokens, const Tokens& k_tokens);
  /// Any operation without lists: Delta, SinkGradient, Add, Copy.
  void compute(Label label, Action action);

  Program take();

 private:
  BufferId add_buffer(Role role, DType dtype, std::int64_t rows, int heads, int dim, int dim_v = 0);
  Slice add_transfers(const std::vector<Transfer>& transfers);
  /// The tiles of each of the parts that a step takes its K/V in. Parts that no query sees are left out, but one.
  std::vector<Slice> add_tiles(const Tokens& q_tokens, const Tokens& k_tokens);
  void add_op(Label label, Stream stream, Action action);

  const Case& case_;
  Program program_;
  std::int32_t exchanges_ = 0;
  bool backward_ = false;
  ListInterner<Tile> tile_lists_;
};

}  // namespace cpbench
