// Launch lines of other programs, and the native lines that they become.
#include <sstream>

#include "cli/foreign/translate.hpp"
#include "expect_refused.hpp"
#include "specs.hpp"
#include "test_command_line.hpp"

namespace cpbench {
namespace {

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

Translation translate(const std::string& line) {
  const TestCommandLine known;
  return translate_foreign(words(line), all_flags(known.app));
}

// The one point that a line asks for.
Json axes_of(const std::string& line, int world = 8) {
  const auto points = expand({}, parse_axes(translate(line).arguments));
  return resolve(points.at(0), {.world_size = world}).axes;
}

void expect_axes(const std::string& line, const Json& expected) {
  const Json all = axes_of(line);
  for (const auto& [name, value] : expected.items()) EXPECT_EQ(all[name], value) << name << " of: " << line;
}

void expect_line_refused(const std::string& line, std::initializer_list<std::string_view> parts) {
  expect_refused([&] { axes_of(line); }, parts);
}

bool has_note(const std::string& line, std::string_view part) {
  for (const std::string& note : translate(line).notes) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST(Foreign, NativeLinesStayAsTheyAre) {
  const std::string line = "run --algo ring --seq-len 100 -n 3 --nonsense";
  EXPECT_EQ(translate(line).arguments, words(line));
  EXPECT_TRUE(translate(line).notes.empty());
}

TEST(MindSpeed, AlgorithmsAndTheirDegrees) {
  const std::string size = "--context-parallel-size 8 --context-parallel-algo ";
  expect_axes(size + "ulysses_cp_algo", {{"algo", "ulysses"}, {"cp_size", 8}});
  expect_axes(size + "megatron_cp_algo", {{"algo", "ring"}, {"shard", "zigzag"}});
  expect_axes(size + "megatron_cp_algo --cp-window-size 1", {{"algo", "ring"}});
  expect_axes(size + "megatron_cp_algo --cp-window-size 4", {{"algo", "double-ring"}, {"window_size", 4}});
  expect_axes(size + "hybrid_cp_algo --ulysses-degree-in-cp 2",
              {{"algo", "hybrid"}, {"ulysses_degree", 2}, {"window_size", 1}, {"rank_order", "ulysses-inner"}});
  expect_axes(size + "hybrid_cp_algo --ulysses-degree-in-cp 2 --cp-window-size 2", {{"window_size", 2}});
  expect_axes(size + "kvallgather_cp_algo", {{"algo", "all-gather"}, {"shard", "zigzag"}});
  expect_axes("--context-parallel-size 8 --cp-window-size 2", {{"algo", "double-ring"}, {"window_size", 2}});
}

TEST(MindSpeed, DefaultsAreItsOwn) {
  expect_axes("--context-parallel-algo megatron_cp_algo", {{"cp_size", 1},
                                                           {"dtype", "fp32"},
                                                           {"layout", "sbhd"},
                                                           {"overlap", "off"},
                                                           {"mask", "causal"},
                                                           {"pass", "fwd+bwd"}});
}

TEST(MindSpeed, SwitchesAndMasks) {
  expect_axes("--context-parallel-size 4 --use-cp-send-recv-overlap --megatron-cp-in-bnsd --bf16",
              {{"overlap", "on"}, {"layout", "bhsd"}, {"dtype", "bf16"}, {"algo", "ring"}});
  expect_axes("--attention-mask-type general --context-parallel-size 4", {{"mask", "full"}, {"shard", "contiguous"}});
  expect_axes("--attention-mask-type causal --context-parallel-size 4", {{"mask", "causal"}, {"shard", "zigzag"}});
  expect_axes("--cp-attention-mask-type general --context-parallel-size 4", {{"mask", "full"}});
}

TEST(Megatron, SizesAndHeads) {
  expect_axes(
      "--seq-length 4096 --micro-batch-size 2 --num-attention-heads 32 --hidden-size 4096 "
      "--tensor-model-parallel-size 2 --group-query-attention --num-query-groups 8 --fp16",
      {{"seq_len", 4096},
       {"batch", 2},
       {"heads", 32},
       {"kv_heads", 8},
       {"head_dim", 128},
       {"tensor_parallel", 2},
       {"dtype", "fp16"}});
  expect_axes("--num-attention-heads 32 --hidden-size 4096 --kv-channels 64", {{"head_dim", 64}, {"kv_heads", 32}});
  expect_axes("--num-attention-heads 32 --group-query-attention", {{"kv_heads", 1}});
  expect_axes("--num-attention-heads 32 --num-query-groups 4", {{"kv_heads", 4}});
  EXPECT_TRUE(has_note("--num-attention-heads 32 --num-query-groups 4", "Megatron would ignore"));
}

TEST(MegatronCore, CommunicationTypes) {
  const std::string size = "--context-parallel-size 8 --cp-comm-type ";
  expect_axes(size + "p2p", {{"algo", "ring"}, {"overlap", "on"}, {"layout", "sbhd"}});
  expect_axes(size + "all_gather", {{"algo", "all-gather"}, {"shard", "zigzag"}});
  expect_axes(size + "a2a", {{"algo", "ulysses"}});
  expect_axes(size + "p2p p2p", {{"algo", "ring"}});
  expect_axes(size + "a2a+p2p --hierarchical-context-parallel-sizes 2 4",
              {{"algo", "hybrid"}, {"ulysses_degree", 2}, {"cp_size", 8}});
}

TEST(MegatronCore, BadTypesAndHierarchies) {
  const std::string size = "--context-parallel-size 8 --cp-comm-type ";
  expect_line_refused(size + "p2p a2a", {"--cp-comm-type", "p2p a2a", "one type"});
  expect_line_refused(size + "p2", {"--cp-comm-type", "p2", "p2p"});
  expect_line_refused(size + "a2a+p2p", {"--hierarchical-context-parallel-sizes"});
  expect_line_refused(size + "a2a+p2p --hierarchical-context-parallel-sizes 2 3", {"2 3", "8"});
  expect_line_refused(size + "a2a+p2p --hierarchical-context-parallel-sizes 2 2 2", {"2 2 2", "two sizes"});
  expect_line_refused(size + "a2a+p2p --hierarchical-context-parallel-sizes x 4", {"--hierarchical", "x"});
  expect_line_refused(size + "a2a+p2p --hierarchical-context-parallel-sizes 2 x", {"--hierarchical", "x"});
  expect_axes(size + "a2a+p2p --hierarchical-context-parallel-sizes 2 04", {{"ulysses_degree", 2}});
  for (const char* other :
       {"--context-parallel-algo ulysses_cp_algo", "--cp-window-size 2", "--ulysses-degree-in-cp 2"}) {
    expect_line_refused(size + "p2p " + other, {"--cp-comm-type", words(other)[0], "one of them"});
  }
}

TEST(Foreign, FlagsWithoutEffectAreNamedInANote) {
  const auto expect_without_effect = [](const std::string& line, const std::string& flags) {
    EXPECT_TRUE(has_note(line, "no effect on this line: " + flags)) << line;
  };
  const std::string mindspeed = "--context-parallel-size 8 --context-parallel-algo ";
  expect_without_effect(mindspeed + "megatron_cp_algo --ulysses-degree-in-cp 2", "--ulysses-degree-in-cp");
  expect_without_effect(mindspeed + "ulysses_cp_algo --cp-window-size 2 --ulysses-degree-in-cp 2",
                        "--cp-window-size --ulysses-degree-in-cp");
  const std::string sizes = "--hierarchical-context-parallel-sizes";
  expect_without_effect("--context-parallel-size 4 --cp-comm-type p2p " + sizes + " 2 2", sizes);
  expect_without_effect(sizes + " 2 2", sizes);
  expect_without_effect("--hidden-size 64", "--hidden-size");
  expect_without_effect("--use_ulysses --ring_impl_type zigzag --ulysses_degree 2",
                        "--ring_impl_type --ulysses_degree");
  EXPECT_FALSE(has_note(mindspeed +
                            "hybrid_cp_algo --ulysses-degree-in-cp 2 --cp-window-size 2 --bf16 "
                            "--num-attention-heads 8 --num-query-groups 2 --group-query-attention --kv-channels 64 "
                            "--attention-mask-type causal --use-cp-send-recv-overlap --megatron-cp-in-bnsd",
                        "no effect"));
  EXPECT_FALSE(
      has_note("--nheads 8 --group_num 2 --head_size 64 --seq_len 64 --batch_size 1 --ulysses_degree 2 "
               "--ring_impl_type zigzag --fwd_only --no_causal --use_ulysses_lowdim",
               "no effect"));
}

TEST(MindSpeed, BadLinesAreRefused) {
  expect_line_refused("--context-parallel-algo hybrid_cp_algo", {"--ulysses-degree-in-cp"});
  expect_line_refused("--context-parallel-algo adaptive_cp_algo", {"adaptive_cp_algo: cpbench does not have"});
  expect_line_refused("--context-parallel-algo hybrid_adaptive_cp_algo",
                      {"hybrid_adaptive_cp_algo: cpbench does not have"});
  expect_line_refused("--attention-mask-type causal --cp-attention-mask-type general",
                      {"--attention-mask-type", "--cp-attention-mask-type", "one of them"});
  expect_line_refused("--context-parallel-size four", {"--context-parallel-size", "four"});
  expect_line_refused("--context-parallel-size", {"--context-parallel-size", "needs a value"});
  expect_line_refused("--context-parallel-size --bf16", {"--context-parallel-size", "needs a value"});
  expect_line_refused("--bf16=yes", {"--bf16", "no value"});
  expect_line_refused("--bf16 --fp16", {"--bf16", "--fp16"});
  expect_line_refused("--cp-window-size 0", {"--cp-window-size", "0"});
  expect_line_refused("--attention-mask-type full", {"--attention-mask-type", "full"});
  expect_line_refused("--num-attention-heads 32 --hidden-size 4097", {"4097", "--kv-channels"});
  expect_line_refused("--context-parallel-size 8 --context-parallel-algo megatron_cp_algo --cp-window-size 3",
                      {"window_size 3", "2 or 4"});
  expect_line_refused("--position-embedding-type alibi", {"--position-embedding-type", "alibi"});
  expect_line_refused("--reset-attention-mask --seq-length 100", {"--reset-attention-mask", "--docs"});
}

TEST(Foreign, NativeFlagsReplaceDefaultsButNotWhatTheLineSays) {
  expect_axes("--context-parallel-size 4 --dtype bf16 --overlap on", {{"dtype", "bf16"}, {"overlap", "on"}});
  expect_axes("--attention-mask-type causal --context-parallel-size 4 --algo ulysses", {{"algo", "ulysses"}});
  expect_line_refused("--num-attention-heads 32 --heads 16", {"--num-attention-heads", "--heads"});
  expect_line_refused("--cp-window-size 2 --algo ring", {"--cp-window-size", "--algo"});
  expect_line_refused("--nheads 32 --num-attention-heads 16", {"--nheads", "--num-attention-heads", "one of them"});
}

TEST(Foreign, WhatFollowsFromAFlagFollowsFromItsNativeReplacementToo) {
  expect_axes("--heads 8 --group_num 2", {{"heads", 8}, {"kv_heads", 4}});
  expect_axes("--heads=8 --group_num 2", {{"kv_heads", 4}});
  expect_axes("--nheads 4 --ulysses-degree 2", {{"algo", "hybrid"}, {"ulysses_degree", 2}});
  expect_axes("--nheads 4 --ulysses-degree 1", {{"algo", "ring"}});
  const std::string hybrid = "--cp-size 8 --cp-comm-type a2a+p2p ";
  expect_axes(hybrid + "--hierarchical-context-parallel-sizes 2 4", {{"ulysses_degree", 2}, {"cp_size", 8}});
  expect_axes(hybrid + "--ulysses-degree 4", {{"algo", "hybrid"}, {"ulysses_degree", 4}});
  expect_axes("--cp-size 8 --context-parallel-algo hybrid_cp_algo --ulysses-degree 2", {{"ulysses_degree", 2}});
  expect_axes("--cp-size 8 --context-parallel-algo megatron_cp_algo --window-size 4",
              {{"algo", "double-ring"}, {"window_size", 4}});
  expect_axes("--cp-size 8 --use-cp-send-recv-overlap --window-size 4", {{"algo", "double-ring"}, {"window_size", 4}});
  expect_axes("--heads 32 --hidden-size 2048", {{"head_dim", 64}});
  expect_axes("--num-attention-heads 32 --hidden-size 2048 --head-dim 128", {{"head_dim", 128}});
  expect_axes("--heads 32 --group-query-attention --kv-heads 8", {{"kv_heads", 8}});
  expect_line_refused("--heads 8 --group_num 3", {"--group_num 3", "8"});
  expect_line_refused("--heads 8,16 --group_num 2", {"--heads", "one value"});
  expect_line_refused("--heads 8 --heads 16 --group_num 2", {"--heads", "one value"});
  expect_line_refused("--heads x --group_num 2", {"--heads", "\"x\""});
}

TEST(Foreign, TheLastOfRepeatedFlagsHolds) { expect_axes("--seq-length 100 --seq-length=200", {{"seq_len", 200}}); }

// The arguments of MindSpeed's tests_extend/system_tests/feature_tests/{ring_attention,hybrid,ulysses}.sh, joined.
const char* const kMindSpeedJob =
    "--tensor-model-parallel-size 2 --pipeline-model-parallel-size 2 --num-layers-per-virtual-pipeline-stage 1 "
    "--use-fused-ring-attention-update --use-mcore-models --use-distributed-optimizer --overlap-grad-reduce "
    "--overlap-param-gather --reuse-fp32-param --use-fused-rotary-pos-emb --use-fused-swiglu --use-fused-rmsnorm "
    "--use-flash-attn --use-fusion-attn-v2 --use-ascend-mc2 --sequence-parallel --op-cal-tflops --optimizer-selection "
    "fused_torch_adamw --noop-layers 0,5 --alibi-fusion-attn-type 2 --num-layers 4 --hidden-size 8192 "
    "--ffn-hidden-size 28672 --num-attention-heads 64 --tokenizer-type Llama2Tokenizer --tokenizer-model t.model "
    "--seq-length 32768 --max-position-embeddings 32768 --micro-batch-size 1 --global-batch-size 4 "
    "--make-vocab-size-divisible-by 1 --lr 1.0e-6 --train-iters 1000 --lr-decay-style cosine "
    "--untie-embeddings-and-output-weights --attention-dropout 0.0 --init-method-std 0.01 --hidden-dropout 0.0 "
    "--position-embedding-type rope --normalization RMSNorm --swiglu --no-masked-softmax-fusion "
    "--attention-softmax-in-fp32 --min-lr 1.0e-7 --weight-decay 0.1 --clip-grad 1.0 --adam-beta1 0.9 "
    "--initial-loss-scale 4096.0 --adam-beta2 0.95 --adam-eps 1e-5 --disable-bias-linear --group-query-attention "
    "--num-query-groups 8 --lr-warmup-fraction 0.01 --bf16 --no-gradient-accumulation-fusion --use-legacy-models "
    "--swap-attention --recompute-in-bubble --recompute-granularity full --recompute-method block "
    "--recompute-num-layers 1 --enable-recompute-layers-per-pp-rank --recompute-activation-function "
    "--recompute-activation-function-num-layers 1 --recompute-in-advance --data-path a.idx b.idx --split 100,0,0 "
    "--log-throughput --log-interval 1 --save-interval 10000 --eval-interval 10000 --eval-iters 10 "
    "--distributed-backend nccl --exit-interval 50 --save ./ckpt --load ./ckpt ";

TEST(MindSpeed, ItsOwnLaunchLinesWork) {
  const std::string job = kMindSpeedJob;
  const Json shape = {{"heads", 64}, {"kv_heads", 8},    {"tensor_parallel", 2}, {"head_dim", 128},
                      {"batch", 1},  {"seq_len", 32768}, {"dtype", "bf16"}};
  expect_axes(job + "--context-parallel-size 2 --context-parallel-algo megatron_cp_algo --use-cp-send-recv-overlap",
              shape);
  expect_axes(job + "--context-parallel-size 4 --context-parallel-algo hybrid_cp_algo --ulysses-degree-in-cp 2", shape);
  expect_axes(job + "--context-parallel-size 2 --context-parallel-algo ulysses_cp_algo", shape);
  EXPECT_TRUE(has_note(job, "--num-layers"));
  EXPECT_TRUE(has_note(job, "ignored"));
}

TEST(Foreign, WhatNobodyKnowsIsIgnoredWithItsValues) {
  const std::string line = "--seq-length 64 --unheard-of -1 two --another=3 --heads 4 --lr 1e-4";
  EXPECT_EQ(axes_of("--seq-length 64 --unheard-of -1 two --another=3 --heads 4 --lr 1e-4"),
            axes_of("--seq-length 64 --heads 4"));
  EXPECT_TRUE(has_note(line, "ignored, as they mean nothing here: --unheard-of --another --lr"));
  EXPECT_TRUE(has_note("--seq-length 64 --position-embedding-type rope", "ignored"));
  EXPECT_EQ(translate("run --seq-len 64 --unheard-of 1").arguments, words("run --seq-len 64 --unheard-of 1"))
      << "a native line is refused for it";
}

TEST(Foreign, SlipsAreNotIgnored) {
  expect_line_refused("--seq-length 64 --num-atention-heads 8", {"--num-atention-heads", "--num-attention-heads?"});
  expect_line_refused("--seq-length 64 --heds=8", {"--heds", "--heads?"});
  expect_line_refused("--seq-length 64 --context-parallel 8", {"--context-parallel", "--context-parallel-size?"});
  expect_line_refused("--seq-length 64 --cp_size 8", {"--cp_size", "--cp-size?"});
}

// Flags of a DeepSeek-V3 job of Megatron-core: long, and mostly of its experts.
const char* const kLatentAttentionJob =
    "--multi-latent-attention --q-lora-rank 1536 --kv-lora-rank 512 --qk-head-dim 128 --qk-pos-emb-head-dim 64 "
    "--v-head-dim 128 --qk-layernorm --rotary-scaling-factor 40 --mscale 1.0 --mscale-all-dim 1.0 --kv-channels 128 "
    "--num-attention-heads 128 --hidden-size 7168 --num-layers 61 --moe-router-group-topk 4 --moe-router-num-groups 8 "
    "--moe-layer-freq ([0]*3+[1]*58) --moe-router-score-function sigmoid --moe-router-enable-expert-bias "
    "--moe-shared-expert-intermediate-size 2048 --manual-gc --manual-gc-interval 5 --cross-entropy-loss-fusion "
    "--context-parallel-size 8 --cp-comm-type p2p --seq-length 4096 --micro-batch-size 1 --bf16 --te-rng-tracker ";

TEST(MegatronCore, LatentAttentionHasKeysOfTwoParts) {
  expect_axes(kLatentAttentionJob, {{"heads", 128}, {"kv_heads", 128}, {"head_dim", 192}, {"head_dim_v", 128}});
  expect_axes("--multi-latent-attention --qk-head-dim 64 --qk-pos-emb-head-dim 32 --v-head-dim 64",
              {{"head_dim", 96}, {"head_dim_v", 64}});
  expect_axes("--multi-latent-attention", {{"head_dim", 192}, {"head_dim_v", 128}});
  EXPECT_TRUE(has_note(kLatentAttentionJob, "no effect on this line: --hidden-size --kv-channels"));
  EXPECT_TRUE(has_note("--seq-length 64 --qk-head-dim 128", "no effect on this line: --qk-head-dim"));
  expect_line_refused("--multi-latent-attention --head-dim 64", {"--multi-latent-attention", "--head-dim"});
}

TEST(MegatronCore, OffsetsOfTheSoftmaxAreSinks) {
  expect_axes("--softmax-type learnable", {{"sink", true}});
  expect_axes("--softmax-type off-by-one", {{"sink", true}});
  EXPECT_TRUE(has_note("--softmax-type off-by-one", "a sink of logit 0"));
  expect_axes("--softmax-type vanilla", {{"sink", false}});
  expect_line_refused("--softmax-type sigmoid", {"--softmax-type", "sigmoid", "learnable"});
}

TEST(LongContextAttention, DefaultsAreItsOwn) {
  expect_axes("--ulysses_degree 1", {{"algo", "ring"},
                                     {"shard", "contiguous"},
                                     {"heads", 2},
                                     {"kv_heads", 2},
                                     {"head_dim", 128},
                                     {"seq_len", 4096},
                                     {"batch", 2},
                                     {"dtype", "fp16"},
                                     {"mask", "causal"},
                                     {"pass", "fwd+bwd"},
                                     {"cp_size", 8}});
}

TEST(LongContextAttention, ItsBenchmarkLines) {
  expect_axes("--nheads 64 --group_num 8 --batch_size 1 --seq_len 131072 --ulysses_degree 4 --ring_impl_type zigzag",
              {{"algo", "hybrid"},
               {"ulysses_degree", 4},
               {"shard", "zigzag"},
               {"heads", 64},
               {"kv_heads", 8},
               {"batch", 1},
               {"seq_len", 131072}});
  expect_axes("--nheads 32 --head_size 32 --ring_impl_type strip --fwd_only --no_causal --use_qkvpack --attn_type fa",
              {{"algo", "ring"}, {"shard", "striped"}, {"head_dim", 32}, {"pass", "fwd"}, {"mask", "full"}});
  expect_axes("--ring_impl_type basic --use_bwd", {{"shard", "contiguous"}, {"pass", "fwd+bwd"}});
  expect_axes("--use_ulysses --nheads 8", {{"algo", "ulysses"}, {"ulysses_degree", 8}});
}

TEST(LongContextAttention, GroupNumIsTheQueryHeadsPerKvHead) {
  expect_axes("--nheads 32 --group_num 4", {{"kv_heads", 8}});
  expect_line_refused("--nheads 32 --group_num 5", {"--group_num 5", "heads 32"});
}

TEST(LongContextAttention, UnderscoresForHyphensAreSlipsBesideNativeAxes) {
  expect_line_refused("--seq_len 4096 --algo ring --heads 32", {"--seq_len: did you mean --seq-len?"});
  expect_line_refused("--ulysses_degree=2 --seq_len 64 --cp-size=4", {"did you mean"});
  expect_axes("--seq_len 64 --nheads 4 --dtype bf16", {{"seq_len", 64}, {"dtype", "bf16"}, {"batch", 2}});
  expect_axes("--seq_len 64 --ulysses_degree 1", {{"seq_len", 64}, {"dtype", "fp16"}});
}

TEST(LongContextAttention, BadLinesAreRefused) {
  expect_line_refused("--ring_impl_type stripe", {"--ring_impl_type", "stripe", "strip"});
  expect_line_refused("--ulysses_degree 0", {"--ulysses_degree", "0"});
  expect_line_refused("--fwd_only --use_bwd", {"--fwd_only", "--use_bwd"});
  expect_line_refused("--ulysses_degree 3 --nheads 6", {"ulysses_degree 3", "cp_size 8"});
}

}  // namespace
}  // namespace cpbench
