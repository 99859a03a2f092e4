// The intermediate representation: what one rank does, as data.
//
// A program is a list of operations in an order in which they could run one after the other, with the dependencies that
// allow more. Nothing here knows MPI, CUDA or a clock. Lists inside operations (tiles, transfers, dependencies) are
// slices of pools of the program, and ranks share what is alike in their programs, because a ring over 4,096 ranks has
// some hundred million operations.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "problem/dtype.hpp"
#include "problem/problem.hpp"
#include "schedule/paged_vector.hpp"
#include "shard/tile.hpp"
#include "topology/grid.hpp"

namespace cpbench {

using BufferId = std::int32_t;
using OpId = std::int32_t;
inline constexpr BufferId kNoBuffer = -1;

// --- Buffers -------------------------------------------------------------------------------------------------------

enum class Role : std::uint8_t {
  kQ,
  kKv,
  kDout,
  kSink,  // inputs
  kOut,
  kLse,
  kDq,
  kDkv,
  kDsink,        // results
  kState,        // running (O, m, l) of the forward pass in fp32; its layout is the backend's
  kDelta,        // rowsum(out * dout), fp32
  kAccumulator,  // dQ or dK/dV being summed
};
std::string_view name_of(Role role);

/// A tensor [batch, rows, heads, dim], or a pair of tensors (K [.., dim] then V [.., dim_v]) where dim_v > 0.
/// The problem's layout orders the axes, but for lse and delta, which are [batch, heads, rows], and the state.
/// Sinks and their gradients have one row, dim 1 and no batch axis.
struct Buffer {
  Role role;
  DType dtype;
  std::int32_t heads;
  std::int32_t dim;
  std::int32_t dim_v;  ///< 0: a single tensor
  std::int64_t rows;

  bool has_batch() const { return role != Role::kSink && role != Role::kDsink; }
  std::int64_t bytes(std::int64_t batch) const {
    return (has_batch() ? batch : 1) * rows * heads * (dim + dim_v) * bytes_of(dtype);
  }
  bool operator==(const Buffer&) const = default;
};

/// A box of a buffer: all of the batch, some rows, some heads, all of dim (of both tensors of a pair).
struct Region {
  BufferId buffer = kNoBuffer;
  std::int32_t head_begin = 0, head_count = 0;
  std::int64_t row_begin = 0, row_count = 0;
  std::int32_t head_end() const { return head_begin + head_count; }
  std::int64_t row_end() const { return row_begin + row_count; }
  bool empty() const { return row_count == 0 || head_count == 0; }
  bool operator==(const Region&) const = default;
};
/// Of two regions of one buffer.
inline bool overlap(const Region& a, const Region& b) {
  return a.head_begin < b.head_end() && b.head_begin < a.head_end() && a.row_begin < b.row_end() &&
         b.row_begin < a.row_end();
}
inline bool covers(const Region& outer, const Region& inner) {
  return outer.head_begin <= inner.head_begin && inner.head_end() <= outer.head_end() &&
         outer.row_begin <= inner.row_begin && inner.row_end() <= outer.row_end();
}

// --- Operations ----------------------------------------------------------------------------------------------------

/// `count` elements of a pool of the program, from `begin`.
struct Slice {
  std::uint32_t begin = 0, count = 0;
  bool operator==(const Slice&) const = default;
};

struct Transfer {
  std::int32_t peer = 0;
  Link link = Link::kInner;  ///< to the peer: a pass says it
  Region region;

  Transfer() = default;
  Transfer(std::int32_t to_or_from, const Region& r) : peer(to_or_from), region(r) {}
  bool operator==(const Transfer&) const = default;
};
/// A part of a program's transfers.
class TransferList {
 public:
  using Iterator = PagedVector<Transfer>::const_iterator;
  TransferList() = default;
  TransferList(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  Iterator begin() const { return begin_; }
  Iterator end() const { return end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  bool empty() const { return begin_ == end_; }
  const Transfer& operator[](std::size_t index) const { return begin_[static_cast<std::ptrdiff_t>(index)]; }

 private:
  Iterator begin_, end_;
};

/// Sends regions to peers and receives regions from peers, all at once: a ring hop, an all-to-all, an all-gather and a
/// reduce-scatter are all exchanges. The k-th send to a peer meets the k-th receive from this rank in the peer's
/// exchange of the same ordinal. Empty regions are never listed. A rank may send to itself.
struct Exchange {
  std::int32_t ordinal;
  Slice sends, receives;  ///< of Program::transfers
  bool operator==(const Exchange&) const = default;
};

/// Which K/V head serves a query head: local query head q_begin + i (0 <= i < count) is the global head q_global + i
/// and reads the local K/V head (q_global + i) / group - kv_global.
struct HeadMap {
  std::int32_t q_begin, count;
  std::int32_t q_global;   ///< global id of local query head q_begin
  std::int32_t kv_global;  ///< global id of the K/V buffer's head 0
  bool operator==(const HeadMap&) const = default;
};

/// Attends the tiles' pairs into `state`. `first`: the state starts anew, at (0, -inf, 0) or, with a sink, at
/// (0, sink, 1), on every row, tile or not. `last`: out and lse are written, on every row; a row that saw nothing has
/// out 0 and lse -inf. `sink` is kNoBuffer without sinks; it is read where `first` holds. Only the heads of `heads` are
/// touched. state, out and lse have the rows and heads of q.
struct Attend {
  BufferId q, kv, state, out, lse, sink;
  HeadMap heads;
  bool first, last;
  Slice tiles;  ///< of Program::tiles
  bool operator==(const Attend&) const = default;
};

/// Adds the tiles' pairs to dq and dkv, from the saved lse and delta (which includes sinks without further ado).
/// `first_dq`, `first_dkv`: the accumulator starts at zero, on every row (dq: the heads of `heads`; dkv: all its
/// heads).
struct AttendBackward {
  BufferId q, kv, dout, lse, delta, dq, dkv;
  HeadMap heads;
  bool first_dq, first_dkv;
  Slice tiles;
  bool operator==(const AttendBackward&) const = default;
};

/// delta = rowsum(out * dout), all rows and heads.
struct Delta {
  BufferId out, dout, delta;
  bool operator==(const Delta&) const = default;
};

/// dsink[h] = -sum over batch and rows of exp(sink[h] - lse) * delta for the heads of `heads` (q_begin: local in lse
/// and delta; q_global: in sink and dsink), and 0 for all others.
struct SinkGradient {
  BufferId sink, lse, delta, dsink;
  HeadMap heads;
  bool operator==(const SinkGradient&) const = default;
};

/// to += from (summed in fp32, rounded to `to`).
struct Add {
  Region to, from;
  bool operator==(const Add&) const = default;
};

/// to = from, converted.
struct Copy {
  Region to, from;
  bool operator==(const Copy&) const = default;
};

/// `--accumulate merge`: merges a finished partial result into (out, lse), rounding `out` to its dtype.
struct Merge {
  BufferId out, lse, partial_out, partial_lse;
  HeadMap heads;
  bool operator==(const Merge&) const = default;
};

using Action = std::variant<Exchange, Attend, AttendBackward, Delta, SinkGradient, Add, Copy, Merge>;
std::string_view kind_name(const Action& action);  ///< `exchange`, `attend`, `attend-backward`, ...

/// Operations of one stream run in program order, each after the one before is done.
enum class Stream : std::uint8_t { kCompute, kInner, kOuter, kGradient };
inline constexpr int kStreams = 4;
std::string_view name_of(Stream stream);

/// What the timeline and error messages show: text, and up to two step numbers (-1: none).
struct Label {
  const char* text;  ///< static storage
  std::int32_t major = -1, minor = -1;
  bool operator==(const Label&) const = default;
};
std::string to_string(const Label& label);  ///< `attend`, `attend 3`, `attend 1.2`

struct Op {
  Action action;
  Label label;
  Stream stream;
  bool backward = false;  ///< belongs to the backward pass
  Slice after;            ///< of Program::dependencies: operations that must be done before this one starts

  Pass pass() const { return backward ? Pass::kBackward : Pass::kForward; }
  bool operator==(const Op&) const = default;
};
/// Whether a run of `pass` takes the operation; dependencies on others count as done.
inline bool belongs_to(const Op& op, Pass pass) { return pass == Pass::kForwardBackward || op.pass() == pass; }

// --- Program -------------------------------------------------------------------------------------------------------

/// The buffers that a rank holds before, or must hold after, the program. kNoBuffer where the case has none.
struct OwnedBuffers {
  BufferId q = kNoBuffer, kv = kNoBuffer, dout = kNoBuffer, sink = kNoBuffer;                     // inputs
  BufferId out = kNoBuffer, lse = kNoBuffer, dq = kNoBuffer, dkv = kNoBuffer, dsink = kNoBuffer;  // results

  /// Those that the case has.
  std::vector<BufferId> inputs() const { return existing({q, kv, dout, sink}); }
  std::vector<BufferId> results() const { return existing({out, lse, dq, dkv, dsink}); }
  std::vector<BufferId> all() const { return existing({q, kv, dout, sink, out, lse, dq, dkv, dsink}); }

 private:
  static std::vector<BufferId> existing(std::vector<BufferId> ids) {
    std::erase(ids, kNoBuffer);
    return ids;
  }
};

struct Program {
  PagedVector<Buffer> buffers;
  PagedVector<Op> ops;
  OwnedBuffers owned;

  std::vector<OpId> dependencies;
  PagedVector<Transfer> transfers;
  std::vector<Tile> tiles;

  std::span<const OpId> after(const Op& op) const { return view(dependencies, op.after); }
  TransferList sends(const Exchange& e) const { return list(e.sends); }
  TransferList receives(const Exchange& e) const { return list(e.receives); }
  std::span<const Tile> tiles_of(const Attend& a) const { return view(tiles, a.tiles); }
  std::span<const Tile> tiles_of(const AttendBackward& a) const { return view(tiles, a.tiles); }
  /// The farthest that the exchange goes.
  Link farthest_link(const Exchange& e) const;
  Region whole(BufferId id) const {
    return {id, 0, buffers[static_cast<std::size_t>(id)].heads, 0, buffers[static_cast<std::size_t>(id)].rows};
  }
  const Buffer& buffer(BufferId id) const { return buffers[static_cast<std::size_t>(id)]; }
  std::int64_t bytes(const Region& region, std::int64_t batch) const;
  /// Of the transfers of rank `rank`; what it sends to itself is not counted.
  std::int64_t bytes(const TransferList& messages, int rank, std::int64_t batch) const;
  /// Sum of all buffers: what a rank allocates.
  std::int64_t total_bytes(std::int64_t batch) const;

 private:
  template <typename T>
  static std::span<const T> view(const std::vector<T>& pool, Slice slice) {
    return std::span<const T>(pool).subspan(slice.begin, slice.count);
  }
  TransferList list(Slice slice) const {
    const auto begin = transfers.begin() + slice.begin;
    return {begin, begin + slice.count};
  }
};

/// Of all that two equal ones have in common, enough to tell most others apart.
std::size_t hash_of(const Op& op);
std::size_t hash_of(const Buffer& buffer);
std::size_t hash_of(const Transfer& transfer);
std::size_t hash_of(const Tile& tile);

/// One thing that an operation does to a box of a buffer.
struct Access {
  Region region;
  bool reads, writes;
};
/// Every access of an operation: the one place that says what an operation touches. Attends read the rows of kv that
/// their tiles span, and all rows of their other operands in the heads that they work on.
std::vector<Access> accesses_of(const Program& program, const Op& op);

}  // namespace cpbench
