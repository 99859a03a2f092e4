// What attention kernels are given, and how their blocks find their work. Shared by host and device.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cuda/runtime.hpp"
#include "backend/cuda/work_list.hpp"
#include "schedule/program.hpp"

namespace cpbench {

/// A tensor [batch, rows, heads, dim] in global memory; dim is contiguous, strides are in elements.
struct DeviceTensor {
  void* data;
  std::int64_t batch_stride, row_stride, head_stride;

  template <typename T>
  __device__ T* at(std::int64_t b, std::int64_t row, std::int64_t head) const {
    return static_cast<T*>(data) + b * batch_stride + row * row_stride + head * head_stride;
  }
};

/// A WorkList in device memory.
struct DeviceWork {
  const WorkList::Block* blocks;
  const WorkList::Range* ranges;
  const WorkList::Band* bands;
  std::int32_t block_count;
  std::int32_t step_columns;
  std::int32_t row_begin, row_end, column_begin, column_end;  ///< see WorkList
};

/// The order of a launch's items, each a block of the work list for one unit, a (batch, head). Units are taken in
/// sections whose streamed operands fit the L2 cache together; within a section the longest blocks come first.
struct ItemOrder {
  std::int32_t blocks, units, section;

  struct Item {
    std::int32_t block, unit;
  };
  __host__ __device__ std::int32_t items() const { return blocks * units; }
  __device__ Item item(std::int32_t index) const {
    const std::int32_t first_unit = index / (section * blocks) * section;
    const std::int32_t within = index - first_unit * blocks;
    const std::int32_t here = units - first_unit < section ? units - first_unit : section;
    return {within / here, first_unit + within % here};
  }
};

/// See Attend in schedule/program.hpp. The state of a (batch, head) is O [rows, dim_v], then m [rows], then l [rows];
/// O is not yet divided by l, and m, the maximum of the scores, is in units of log2.
struct ForwardParameters {
  DeviceTensor q, k, v, out, lse;  ///< out and lse where `last` holds
  float* state;                    ///< unless first and last
  const float* sink;               ///< by global query head; null without
  HeadMap heads;
  std::int32_t group, batch, q_rows, q_heads, kv_heads, dim, dim_v;
  float scale_log2;  ///< > 0: what scores are multiplied by to be exponents of 2
  bool first, last;
  DeviceWork work;  ///< rows are queries, columns keys
  ItemOrder order;  ///< units are batch * heads.count

  /// The local K/V head that a unit's query head, an index from 0 into those of the map, reads.
  __device__ int kv_head(int head) const { return (heads.q_global + head) / group - heads.kv_global; }
  __device__ float* state_of(std::int64_t b, std::int64_t q_head) const {
    return state + (b * q_heads + q_head) * q_rows * (dim_v + 2);
  }
};

/// See AttendBackward in schedule/program.hpp. dq is zeroed before where it starts anew; additions to it are atomic.
struct BackwardParameters {
  DeviceTensor q, k, v, dout, lse, delta;
  DeviceTensor dq, dk, dv;  ///< fp32; dk and dv of the operands' type with round_dkv
  HeadMap heads;
  std::int32_t group, batch, q_rows, k_rows, q_heads, kv_heads, dim, dim_v;
  float scale, scale_log2;    ///< scale_log2 = scale * log2(e)
  bool first_dkv, round_dkv;  ///< the latter only with the former
  DeviceWork work;            ///< rows are keys, columns queries
  ItemOrder order;            ///< units are batch * kv_heads

  /// The heads of the map, as indices from 0, that read a K/V head: [begin, end).
  __device__ int head_begin(int kv_head) const { return clamp_head((kv_head + heads.kv_global) * group); }
  __device__ int head_end(int kv_head) const { return clamp_head((kv_head + heads.kv_global + 1) * group); }

 private:
  __device__ int clamp_head(int global_head) const {
    const int head = global_head - heads.q_global;
    return head < 0 ? 0 : head > heads.count ? heads.count : head;
  }
};

/// Walks the steps of a block.
class Steps {
 public:
  __device__ Steps(const DeviceWork& work, const WorkList::Block& block)
      : work_(work), block_(block), next_range_(block.range_begin) {}

  /// To the next step; called once before the first. After the last one comes the first again, in the next round.
  __device__ void advance() {
    if (left_ == 0) {
      if (next_range_ == block_.range_begin + block_.range_count) {
        next_range_ = block_.range_begin;
        ++round_;
      }
      const WorkList::Range range = work_.ranges[next_range_++];
      column_ = range.column_begin;
      left_ = range.steps;
      band_ = range.band;
    } else {
      column_ += work_.step_columns;
    }
    --left_;
  }
  __device__ int round() const { return round_; }  ///< from 0
  __device__ int column() const { return column_; }
  __device__ bool masked() const { return band_ != WorkList::kNoBand; }
  __device__ const WorkList::Band& band() const { return work_.bands[band_]; }

 private:
  const DeviceWork& work_;
  const WorkList::Block& block_;
  int next_range_, left_ = 0, column_ = 0, round_ = 0;
  std::int32_t band_ = WorkList::kNoBand;
};

/// The columns [begin, end) that a row sees under a band, as offsets from `column`.
struct Window {
  int begin, end;
  __device__ Window(const WorkList::Band& band, int row, int column)
      : begin(larger(band.column_begin, row + band.lo) - column),
        end(smaller(band.column_end, row + band.hi + 1) - column) {
    if (row < band.row_begin || row >= band.row_end) end = begin;
  }
  __device__ bool sees(int offset) const { return begin <= offset && offset < end; }

 private:
  __device__ static int larger(int a, int b) { return a > b ? a : b; }
  __device__ static int smaller(int a, int b) { return a < b ? a : b; }
};

}  // namespace cpbench
