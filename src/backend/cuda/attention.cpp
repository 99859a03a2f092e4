#include "backend/cuda/attention.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "backend/cuda/elementwise.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

constexpr double kLog2E = 1.4426950408889634;
/// What the streamed operands of a section may take of the L2 cache (50 MB on Hopper, 40 MB on Ampere).
constexpr std::int64_t kSectionBytes = 32 << 20;

DeviceTensor device_tensor(const TensorView& view) {
  return {view.data, view.batch_stride, view.row_stride, view.head_stride};
}
std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

ItemOrder order_of(std::int64_t blocks, std::int64_t units, std::int64_t bytes_per_unit) {
  const std::int64_t section = std::clamp<std::int64_t>(kSectionBytes / std::max<std::int64_t>(bytes_per_unit, 1), 1,
                                                        std::max<std::int64_t>(units, 1));
  return {narrow(blocks), narrow(units), narrow(section)};
}

PreparedWork serialized(const WorkList& list, int step_columns) {
  PreparedWork work{{},
                    narrow(static_cast<std::int64_t>(list.blocks.size())),
                    narrow(static_cast<std::int64_t>(list.ranges.size())),
                    step_columns,
                    list.row_begin,
                    list.row_end,
                    list.column_begin,
                    list.column_end};
  const auto append = [&](const auto& items) {
    const auto* bytes = reinterpret_cast<const std::byte*>(items.data());
    work.bytes.insert(work.bytes.end(), bytes, bytes + items.size() * sizeof(items[0]));
  };
  append(list.blocks);
  append(list.ranges);
  append(list.bands);
  return work;
}

/// fp32 gradients for tensors that are of a shorter type, one after the other in the workspace.
class Workspace {
 public:
  explicit Workspace(std::byte* memory) : memory_(memory) {}

  TensorView fp32(const TensorView& like) {
    if (like.dtype == DType::kFp32) return like;
    TensorView view = like;
    view.dtype = DType::kFp32;
    view.data = memory_ + used_;
    view.head_stride = like.dim;
    view.row_stride = like.heads * like.dim;
    view.batch_stride = like.rows * view.row_stride;
    used_ += like.batch * view.batch_stride * std::int64_t{sizeof(float)};
    return view;
  }
  std::int64_t used() const { return used_; }

 private:
  std::byte* memory_;
  std::int64_t used_ = 0;
};

TensorView mapped_heads(const TensorView& view, const HeadMap& heads) {
  return view.box(0, view.rows, heads.q_begin, heads.count);
}

/// Gradients that the kernels sum in fp32. dK and dV are summed in registers, and are rounded as they are stored where
/// they start.
struct Gradients {
  TensorView dq, dk, dv;
  std::int64_t workspace_bytes;
};
Gradients gradients_in_fp32(const AttendBackwardArguments& a, std::byte* memory) {
  Workspace workspace(memory);
  const auto of_keys = [&](const TensorView& view) { return a.first_dkv ? view : workspace.fp32(view); };
  Gradients gradients{workspace.fp32(a.dq), of_keys(a.dk), of_keys(a.dv), 0};
  gradients.workspace_bytes = workspace.used();
  return gradients;
}

/// Brings a sum from the workspace to the gradient that it belongs to.
void settle(const TensorView& gradient, const TensorView& sum, bool first, cudaStream_t stream) {
  if (sum.data == gradient.data) return;
  if (first) {
    cuda::copy(gradient, sum, stream);
  } else {
    cuda::add(gradient, sum, stream);
  }
}

}  // namespace

std::vector<const Implementation*> half_kernels_of(int capability) {
  constexpr int kAmpere = 80, kHopper = 90;
  if (capability < kAmpere) return {};
  if (capability == kHopper) return {&kSm90Kernels, &kSm80Kernels};
  return {&kSm80Kernels};
}

const Implementation& find_half_kernels(int capability, const std::string& name) {
  for (const Implementation* kernels : half_kernels_of(capability)) {
    if (name.empty() || kernels->name == name) return *kernels;
  }
  refuse("a GPU of compute capability {}.{} has no kernels{}{}", capability / 10, capability % 10,
         name.empty() ? "" : " ", name);
}

const Implementation& choose_kernels(const CudaDevice& device, DType dtype) {
  return dtype == DType::kFp32 ? kFp32Kernels : *device.half_kernels;
}

DeviceWork PreparedWork::on_device(const std::byte* device_bytes) const {
  const auto* blocks = reinterpret_cast<const WorkList::Block*>(device_bytes);
  const auto* ranges = reinterpret_cast<const WorkList::Range*>(blocks + block_count);
  const auto* bands = reinterpret_cast<const WorkList::Band*>(ranges + range_count);
  return {blocks, ranges, bands, block_count, step_columns, row_begin, row_end, column_begin, column_end};
}

PreparedWork prepare_forward(const Implementation& kernels, const AttendArguments& a) {
  // Kernels scale the maximum of scores, which may be -inf, instead of each. Problems have no other scale.
  if (!(a.scale >= std::numeric_limits<float>::min())) {
    throw std::logic_error(
        fmt::format("attention with a scale of {}, which is not a positive number of fp32", a.scale));
  }
  const bool full = std::all_of(a.tiles.begin(), a.tiles.end(), [](const Tile& tile) { return tile.full(); });
  const BlockShape shape = kernels.forward_shape(narrow(a.q.dim), narrow(a.v.dim), full);
  return serialized(make_work_list(a.tiles, a.q.rows, shape.rows, shape.columns), shape.columns);
}

PreparedWork prepare_backward(const Implementation& kernels, const AttendBackwardArguments& a) {
  const BlockShape shape = kernels.backward_shape(narrow(a.q.dim), narrow(a.v.dim));
  return serialized(make_work_list(transposed(a.tiles), a.dk.rows, shape.rows, shape.columns), shape.columns);
}

void attend(const CudaDevice& device, const CudaAttendArguments& arguments, cudaStream_t stream) {
  const AttendArguments& a = arguments.operands;
  const std::int64_t units = a.q.batch * a.heads.count;
  const std::int64_t kv_bytes = a.k.rows * (a.k.dim + a.v.dim) * bytes_of(a.q.dtype);
  const ForwardParameters parameters{.q = device_tensor(a.q),
                                     .k = device_tensor(a.k),
                                     .v = device_tensor(a.v),
                                     .out = device_tensor(a.out),
                                     .lse = device_tensor(a.lse),
                                     .state = a.state,
                                     .sink = a.sink,
                                     .heads = a.heads,
                                     .group = a.group,
                                     .batch = narrow(a.q.batch),
                                     .q_rows = narrow(a.q.rows),
                                     .q_heads = narrow(a.q.heads),
                                     .kv_heads = narrow(a.k.heads),
                                     .dim = narrow(a.q.dim),
                                     .dim_v = narrow(a.v.dim),
                                     .scale_log2 = static_cast<float>(a.scale * kLog2E),
                                     .first = a.first,
                                     .last = a.last,
                                     .work = arguments.work,
                                     .order = order_of(arguments.work.block_count, units, kv_bytes / a.group)};
  choose_kernels(device, a.q.dtype).forward(parameters, {a.q.dtype, stream, device.multiprocessors, arguments.counter});
}

std::int64_t workspace_bytes(const AttendBackwardArguments& a) { return gradients_in_fp32(a, nullptr).workspace_bytes; }

void attend_backward(const CudaDevice& device, const CudaAttendBackwardArguments& arguments, cudaStream_t stream) {
  const AttendBackwardArguments& a = arguments.operands;
  const Gradients sums = gradients_in_fp32(a, arguments.workspace);
  const bool own_dq = sums.dq.data != a.dq.data, own_dkv = sums.dk.data != a.dk.data;
  if (a.first_dq || own_dq) cuda::clear(mapped_heads(sums.dq, a.heads), stream);

  // Of Q and dout, and of dQ, which is added to in the cache.
  const std::int64_t q_bytes =
      a.group * a.q.rows * ((a.q.dim + a.v.dim) * bytes_of(a.q.dtype) + a.q.dim * std::int64_t{sizeof(float)});
  const BackwardParameters parameters{.q = device_tensor(a.q),
                                      .k = device_tensor(a.k),
                                      .v = device_tensor(a.v),
                                      .dout = device_tensor(a.dout),
                                      .lse = device_tensor(a.lse),
                                      .delta = device_tensor(a.delta),
                                      .dq = device_tensor(sums.dq),
                                      .dk = device_tensor(sums.dk),
                                      .dv = device_tensor(sums.dv),
                                      .heads = a.heads,
                                      .group = a.group,
                                      .batch = narrow(a.q.batch),
                                      .q_rows = narrow(a.q.rows),
                                      .k_rows = narrow(a.dk.rows),
                                      .q_heads = narrow(a.q.heads),
                                      .kv_heads = narrow(a.dk.heads),
                                      .dim = narrow(a.q.dim),
                                      .dim_v = narrow(a.v.dim),
                                      .scale = static_cast<float>(a.scale),
                                      .scale_log2 = static_cast<float>(a.scale * kLog2E),
                                      .first_dkv = a.first_dkv || own_dkv,
                                      .round_dkv = sums.dk.dtype != DType::kFp32,
                                      .work = arguments.work,
                                      .order = order_of(arguments.work.block_count, a.k.batch * a.dk.heads, q_bytes)};
  choose_kernels(device, a.q.dtype).backward(parameters, {a.q.dtype, stream, device.multiprocessors, nullptr});
  settle(mapped_heads(a.dq, a.heads), mapped_heads(sums.dq, a.heads), a.first_dq, stream);
  settle(a.dk, sums.dk, a.first_dkv, stream);
  settle(a.dv, sums.dv, a.first_dkv, stream);
}

}  // namespace cpbench
