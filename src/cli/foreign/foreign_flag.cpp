#include "cli/foreign/foreign_flag.hpp"

#include <algorithm>
#include <array>

namespace cpbench {
namespace {

using enum Arity;
using enum ForeignMeaning;

constexpr auto kFlags = std::to_array<ForeignFlag>({
    {"--context-parallel-size", kOne, kMegatron},
    {"--context-parallel-algo", kOne, kMegatron},
    {"--cp-window-size", kOne, kMegatron},
    {"--ulysses-degree-in-cp", kOne, kMegatron},
    {"--attention-mask-type", kOne, kMegatron},
    {"--cp-attention-mask-type", kOne, kMegatron},
    {"--seq-length", kOne, kMegatron},
    {"--num-attention-heads", kOne, kMegatron},
    {"--num-query-groups", kOne, kMegatron},
    {"--kv-channels", kOne, kMegatron},
    {"--hidden-size", kOne, kMegatron},
    {"--micro-batch-size", kOne, kMegatron},
    {"--tensor-model-parallel-size", kOne, kMegatron},
    {"--qk-head-dim", kOne, kMegatron},
    {"--qk-pos-emb-head-dim", kOne, kMegatron},
    {"--v-head-dim", kOne, kMegatron},
    {"--softmax-type", kOne, kMegatron},
    {"--cp-comm-type", kMany, kMegatron},
    {"--hierarchical-context-parallel-sizes", kMany, kMegatron},
    {"--use-cp-send-recv-overlap", kSwitch, kMegatron},
    {"--megatron-cp-in-bnsd", kSwitch, kMegatron},
    {"--group-query-attention", kSwitch, kMegatron},
    {"--multi-latent-attention", kSwitch, kMegatron},
    {"--bf16", kSwitch, kMegatron},
    {"--fp16", kSwitch, kMegatron},

    {"--ring_impl_type", kOne, kLongContextAttention},
    {"--ulysses_degree", kOne, kLongContextAttention},
    {"--nheads", kOne, kLongContextAttention},
    {"--head_size", kOne, kLongContextAttention},
    {"--seq_len", kOne, kLongContextAttention},
    {"--group_num", kOne, kLongContextAttention},
    {"--batch_size", kOne, kLongContextAttention},
    {"--fwd_only", kSwitch, kLongContextAttention},
    {"--use_bwd", kSwitch, kLongContextAttention},
    {"--no_causal", kSwitch, kLongContextAttention},
    {"--use_ulysses", kSwitch, kLongContextAttention},
    {"--use_ulysses_lowdim", kSwitch, kLongContextAttention},

    {"--reset-attention-mask",
     kSwitch,
     kRefused,
     {},
     "the documents come from the training data there; name their lengths with --docs"},
    {"--position-embedding-type", kOne, kRefused, "alibi",
     "ALiBi adds a bias to the scores, which cpbench does not have"},
});

}  // namespace

std::span<const ForeignFlag> foreign_flags() { return kFlags; }

const ForeignFlag* find_foreign_flag(std::string_view name) {
  const auto found =
      std::find_if(kFlags.begin(), kFlags.end(), [&](const ForeignFlag& flag) { return flag.name == name; });
  return found == kFlags.end() ? nullptr : &*found;
}

}  // namespace cpbench
