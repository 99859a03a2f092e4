// Source: feifeibear/long-context-attention, benchmark/benchmark_longctx.py and test/test_hybrid_attn.py.
#include <array>

#include "cli/foreign/dialects.hpp"
#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

// By its name `ring_impl_type` is how the ring shards; what runs on the shards is the same.
constexpr std::array<Named<std::string_view>, 3> kShards = {
    {{"contiguous", "basic"}, {"zigzag", "zigzag"}, {"striped", "strip"}}};

void translate_degree(const GivenFlags& given, NativeLine& line) {
  if (given.is_on("--use_ulysses")) return line.set(Axis::kAlgo, "ulysses", "--use_ulysses");
  if (given.has("--ring_impl_type")) {
    const auto shard = parse_in(kShards, "--ring_impl_type", given.value("--ring_impl_type"));
    line.set(Axis::kShard, std::string(shard), "--ring_impl_type");
  }
  if (!given.has("--ulysses_degree")) {
    const bool decides = !line.names(Axis::kAlgo);
    if (decides && line.integer_of(Axis::kUlyssesDegree, given, "--ulysses_degree", 1) > 1) {
      line.fall_back(Axis::kAlgo, "hybrid");
    }
  } else if (given.integer_or("--ulysses_degree", 1) > 1) {
    line.set(Axis::kAlgo, "hybrid", "--ulysses_degree");
    line.pass(Axis::kUlyssesDegree, given, "--ulysses_degree");
  } else {
    line.set(Axis::kAlgo, "ring", "--ulysses_degree");
  }
}

// There `group_num` is the number of query heads per K/V head, and not the number of groups.
void translate_head_groups(const GivenFlags& given, NativeLine& line) {
  constexpr std::int64_t kDefaultHeads = 2;
  line.pass(Axis::kHeads, given, "--nheads");
  line.pass(Axis::kHeadDim, given, "--head_size");
  line.fall_back(Axis::kHeads, std::to_string(kDefaultHeads));
  if (!given.has("--group_num")) return;
  const std::int64_t heads = line.integer_of(Axis::kHeads, given, "--nheads", kDefaultHeads);
  const std::int64_t group = given.integer_or("--group_num", 1);
  if (heads % group != 0) refuse("--group_num {} does not divide heads {}", group, heads);
  line.set(Axis::kKvHeads, std::to_string(heads / group), "--group_num");
}

void translate_pass(const GivenFlags& given, NativeLine& line) {
  const bool forward = given.is_on("--fwd_only"), backward = given.is_on("--use_bwd");
  if (forward && backward) refuse("--fwd_only and --use_bwd exclude each other");
  if (forward) line.set(Axis::kPass, "fwd", "--fwd_only");
  if (backward) line.set(Axis::kPass, "fwd+bwd", "--use_bwd");
}

}  // namespace

void translate_long_context_attention(const GivenFlags& given, NativeLine& line) {
  translate_degree(given, line);
  if (given.is_on("--use_ulysses_lowdim")) line.set(Axis::kRankOrder, "ulysses-inner", "--use_ulysses_lowdim");
  if (given.is_on("--no_causal")) line.set(Axis::kMask, "full", "--no_causal");
  line.pass(Axis::kSeqLen, given, "--seq_len");
  line.pass(Axis::kBatch, given, "--batch_size");
  translate_head_groups(given, line);
  translate_pass(given, line);
  line.fall_back(Axis::kShard, "contiguous");
  line.fall_back(Axis::kSeqLen, "4096");
  line.fall_back(Axis::kBatch, "2");
  line.fall_back(Axis::kDtype, "fp16");
}

}  // namespace cpbench
