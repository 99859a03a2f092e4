#include "cli/axes/axis.hpp"

#include <algorithm>
#include <array>

#include "problem/documents.hpp"
#include "problem/models.hpp"
#include "problem/problem.hpp"
#include "schedule/algorithm.hpp"
#include "schedule/case.hpp"
#include "shard/shard.hpp"
#include "topology/grid.hpp"

namespace cpbench {
namespace {

template <auto parse>
std::string named(std::string_view word) {
  return std::string(name_of(parse(word)));
}

std::string algorithm_name(std::string_view word) { return find_algorithm(word)->name; }

std::string mask_text(std::string_view word) { return to_string(parse_mask(word)); }

std::string model_name(std::string_view word) { return word == "none" ? "none" : find_model(word).name; }

// Beyond any machine; low enough that products of two of them stay within 64 bits.
constexpr std::int64_t kMostRanks = 1 << 20;
constexpr std::int64_t kMostHeads = 1 << 20;
constexpr std::int64_t kMostParts = 1 << 20;
constexpr std::int64_t kMostHeadDim = 256, kHeadDimUnit = 8;
constexpr std::int64_t kMostSequences = std::int64_t{1} << 31;

using Axes = std::array<AxisInfo, kAxisCount>;

Axes make_axes() {
  return {{
      {Axis::kAlgo, "algo", AxisKind::kWord, algorithm_names(), "ring", "the algorithm", algorithm_name},
      {Axis::kCpSize, "cp_size", AxisKind::kInteger, "1 to the ranks of the job (plan: any)", "the ranks of the job",
       "ranks that share a sequence; the first ones of the job, the others wait", nullptr, 1, kMostRanks},
      {Axis::kUlyssesDegree, "ulysses_degree", AxisKind::kInteger, "a divisor of cp_size",
       "hybrid: the largest legal one that fits a node", "ranks of a Ulysses group; used only by hybrid", nullptr, 1,
       kMostRanks},
      {Axis::kWindowSize, "window_size", AxisKind::kInteger, "a divisor of the ring",
       "double-ring: what a node holds of the ring, on one node the largest divisor <= sqrt(ring); hybrid: 1, a plain "
       "ring",
       "members of a window of the ring (a sliding window is --mask window:L); used only by double-ring and hybrid",
       nullptr, 1, kMostRanks},
      {Axis::kRankOrder, "rank_order", AxisKind::kWord, "ulysses-inner, ring-inner", "ulysses-inner",
       "hybrid: which neighbours are consecutive ranks", named<parse_rank_order>},
      {Axis::kShard, "shard", AxisKind::kWord, "contiguous, zigzag, striped, zigzag-docs",
       "zigzag for ring, double-ring and hybrid, contiguous for the others",
       "which tokens a rank of the ring holds; ulysses has no ring and is always contiguous", named<parse_shard>},
      {Axis::kModel, "model", AxisKind::kWord, "none, or a name of configs/models.json", "none",
       "sets heads, kv_heads, head_dim, head_dim_v, mask and sink; their own flags override it", model_name},
      {Axis::kSeqLen, "seq_len", AxisKind::kInteger, "tokens", "8192", "tokens of the whole sequence", nullptr, 1,
       Documents::kMaxSeqLen},
      {Axis::kBatch, "batch", AxisKind::kInteger, "sequences", "1", "sequences, all of the same length", nullptr, 1,
       kMostSequences},
      {Axis::kHeads, "heads", AxisKind::kInteger, "heads", "8", "query heads", nullptr, 1, kMostHeads},
      {Axis::kKvHeads, "kv_heads", AxisKind::kInteger, "a divisor of heads", "heads", "K/V heads", nullptr, 1,
       kMostHeads},
      {Axis::kHeadDim, "head_dim", AxisKind::kInteger, "a multiple of 8 up to 256", "128", "of Q and K", nullptr,
       kHeadDimUnit, kMostHeadDim, kHeadDimUnit},
      {Axis::kHeadDimV, "head_dim_v", AxisKind::kInteger, "a multiple of 8 up to 256", "head_dim",
       "of V and the output", nullptr, kHeadDimUnit, kMostHeadDim, kHeadDimUnit},
      {Axis::kTensorParallel, "tensor_parallel", AxisKind::kInteger, "a divisor of heads and kv_heads", "1",
       "divides the heads of both kinds; takes no ranks", nullptr, 1, kMostHeads},
      {Axis::kSink, "sink", AxisKind::kFlag, "bare flag", "off", "attention sinks, drawn like the inputs"},
      {Axis::kUnevenHeads, "uneven_heads", AxisKind::kFlag, "bare flag", "off",
       "deals heads that a Ulysses degree does not divide unevenly instead of refusing them"},
      {Axis::kDtype, "dtype", AxisKind::kWord, "fp32, bf16, fp16", "bf16", "storage; arithmetic is in fp32",
       named<parse_dtype>},
      {Axis::kMask, "mask", AxisKind::kWord, "full, causal, window:L[:R]", "causal",
       "window: query i sees keys i-L to i+R, both included, R = 0", mask_text},
      {Axis::kDocs, "docs", AxisKind::kDocuments, "none, one list of lengths, or a histogram file", "none",
       "documents that partition every sequence; repeat the flag to sweep"},
      {Axis::kLayout, "layout", AxisKind::kWord, "bshd, sbhd, bhsd, thd", "bshd", "order of the tensors' axes",
       named<parse_layout>},
      {Axis::kPass, "pass", AxisKind::kWord, "fwd, bwd, fwd+bwd", "fwd+bwd",
       "bwd: the backward pass alone, from the saved out and lse", named<parse_pass>},
      {Axis::kScale, "scale", AxisKind::kReal, "a positive number", "1/sqrt(head_dim)", "of the scores"},
      {Axis::kOverlap, "overlap", AxisKind::kSwitch, "on, off", "on", "communication runs beside compute"},
      {Axis::kPrune, "prune", AxisKind::kSwitch, "on, off", "on", "drops operations whose results nobody reads"},
      {Axis::kKvParts, "kv_parts", AxisKind::kInteger, "parts", "1",
       "parts that each step takes its K/V in, continuing from one to the next", nullptr, 1, kMostParts},
      {Axis::kAccumulate, "accumulate", AxisKind::kWord, "fused, merge", "fused",
       "merge: rounds and merges every step's result, as other implementations do", named<parse_accumulate>},
  }};
}

/// Made when first asked for, when all algorithms have been registered.
const Axes& axes() {
  static const Axes kMade = make_axes();
  return kMade;
}

}  // namespace

std::string AxisInfo::flag() const {
  std::string text = "--" + std::string(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::span<const AxisInfo> all_axes() { return axes(); }

const AxisInfo& info_of(Axis axis) { return axes()[static_cast<std::size_t>(axis)]; }

const AxisInfo* find_axis(std::string_view name) {
  const auto found =
      std::find_if(axes().begin(), axes().end(), [&](const AxisInfo& info) { return info.name == name; });
  return found == axes().end() ? nullptr : &*found;
}

std::vector<std::string> axis_names() {
  std::vector<std::string> names;
  for (const AxisInfo& info : axes()) names.emplace_back(info.name);
  return names;
}

}  // namespace cpbench
