// Sources: Megatron-LM, megatron/training/arguments.py; MindSpeed, mindspeed/features_manager/context_parallel/ and
// docs/features/{ring-attention,ulysses,hybrid,kvallgather}-context-parallel.md and double-ring.md.
#include <algorithm>
#include <limits>

#include "cli/foreign/dialects.hpp"
#include "support/error.hpp"
#include "support/names.hpp"
#include "support/number.hpp"

namespace cpbench {
namespace {

// Flags that MindSpeed adds. A line that has none of them is Megatron-core's, whose ring always overlaps.
std::string_view mindspeed_flag(const GivenFlags& given) {
  return given.first_of({"--context-parallel-algo", "--cp-window-size", "--ulysses-degree-in-cp",
                         "--use-cp-send-recv-overlap", "--attention-mask-type", "--cp-attention-mask-type",
                         "--megatron-cp-in-bnsd"});
}

void translate_window(const GivenFlags& given, NativeLine& line) {
  if (given.integer_or("--cp-window-size", 1) > 1) line.pass(Axis::kWindowSize, given, "--cp-window-size");
}

// The default algorithm: a ring, double where the line has windows.
void translate_ring(const GivenFlags& given, NativeLine& line, std::string_view algorithm_flag) {
  constexpr std::string_view kFlag = "--cp-window-size";
  const std::string_view flag = given.first_of({algorithm_flag, kFlag});
  if (flag.empty() && line.names(Axis::kAlgo)) return;
  const bool is_double = line.integer_of(Axis::kWindowSize, given, kFlag, 1) > 1;
  if (given.has(algorithm_flag) || (given.has(kFlag) && is_double)) {
    line.set(Axis::kAlgo, is_double ? "double-ring" : "ring", flag);
  }
  line.fall_back(Axis::kAlgo, is_double ? "double-ring" : "ring");
  translate_window(given, line);
}

void translate_mindspeed_algorithm(const GivenFlags& given, NativeLine& line) {
  constexpr std::string_view kFlag = "--context-parallel-algo";
  static const std::vector<std::string> kAlgorithms = {"ulysses_cp_algo", "megatron_cp_algo", "hybrid_cp_algo",
                                                       "kvallgather_cp_algo"};
  const std::string algorithm = given.has(kFlag) ? given.value(kFlag) : "megatron_cp_algo";
  if (algorithm == "megatron_cp_algo") {
    translate_ring(given, line, kFlag);
  } else if (algorithm == "hybrid_cp_algo") {
    if (!given.has("--ulysses-degree-in-cp") && !line.names(Axis::kUlyssesDegree)) {
      refuse("{} hybrid_cp_algo needs --ulysses-degree-in-cp", kFlag);
    }
    line.set(Axis::kAlgo, "hybrid", kFlag);
    line.pass(Axis::kUlyssesDegree, given, "--ulysses-degree-in-cp");
    translate_window(given, line);
  } else if (algorithm == "ulysses_cp_algo" || algorithm == "kvallgather_cp_algo") {
    line.set(Axis::kAlgo, algorithm == "ulysses_cp_algo" ? "ulysses" : "all-gather", kFlag);
    if (algorithm == "kvallgather_cp_algo") line.fall_back(Axis::kShard, "zigzag");
  } else if (algorithm == "adaptive_cp_algo" || algorithm == "hybrid_adaptive_cp_algo") {
    refuse("{} {}: cpbench does not have MindSpeed's adaptive algorithms; it has {}", kFlag, algorithm,
           fmt::join(kAlgorithms, ", "));
  } else {
    refuse_unknown(kFlag, algorithm, kAlgorithms);
  }
}

// Degrees from the inside out: the all-to-all group first, of neighbouring ranks.
void translate_hierarchy(const GivenFlags& given, NativeLine& line) {
  constexpr std::string_view kFlag = "--hierarchical-context-parallel-sizes";
  if (!given.has(kFlag) && line.names(Axis::kUlyssesDegree)) return;
  if (!given.has(kFlag)) refuse("--cp-comm-type a2a+p2p needs {}, the a2a size first", kFlag);
  const auto& sizes = given.values(kFlag);
  if (sizes.size() != 2) refuse("{} {}: two sizes are expected, a2a and p2p", kFlag, fmt::join(sizes, " "));
  line.set(Axis::kUlyssesDegree, sizes[0], kFlag);
  const auto size_of = [&](const std::string& text) {
    return parse_integer(kFlag, text, 1, std::numeric_limits<std::int64_t>::max());
  };
  const std::int64_t a2a = size_of(sizes[0]), p2p = size_of(sizes[1]);
  const std::int64_t cp_size = line.integer_of(Axis::kCpSize, given, "--context-parallel-size", 1);
  if (cp_size % a2a != 0 || cp_size / a2a != p2p) {
    refuse("{} {} {}: their product is not cp_size {}", kFlag, sizes[0], sizes[1], cp_size);
  }
}

void translate_comm_type(const GivenFlags& given, NativeLine& line) {
  constexpr std::string_view kFlag = "--cp-comm-type";
  static const std::vector<std::string> kTypes = {"p2p", "all_gather", "a2a", "a2a+p2p"};
  const auto& types = given.values(kFlag);
  const std::string& type = types.front();
  if (std::any_of(types.begin(), types.end(), [&](const std::string& other) { return other != type; })) {
    refuse("{} {}: this measures one layer; give one type", kFlag, fmt::join(types, " "));
  }
  if (type == "p2p") {
    line.set(Axis::kAlgo, "ring", kFlag);
  } else if (type == "all_gather" || type == "allgather") {
    line.set(Axis::kAlgo, "all-gather", kFlag);
    line.fall_back(Axis::kShard, "zigzag");
  } else if (type == "a2a") {
    line.set(Axis::kAlgo, "ulysses", kFlag);
  } else if (type == "a2a+p2p") {
    line.set(Axis::kAlgo, "hybrid", kFlag);
    translate_hierarchy(given, line);
  } else {
    refuse_unknown(kFlag, type, kTypes);
  }
}

void translate_algorithm(const GivenFlags& given, NativeLine& line) {
  const std::string_view mindspeed =
      given.first_of({"--context-parallel-algo", "--cp-window-size", "--ulysses-degree-in-cp"});
  if (given.has("--cp-comm-type")) {
    if (!mindspeed.empty()) refuse("--cp-comm-type and {} both name the algorithm: give one of them", mindspeed);
    translate_comm_type(given, line);
  } else if (!mindspeed_flag(given).empty()) {
    translate_mindspeed_algorithm(given, line);
  }
}

void translate_mask(const GivenFlags& given, NativeLine& line) {
  constexpr std::string_view kFlag = "--attention-mask-type", kOlder = "--cp-attention-mask-type";
  if (given.has(kFlag) && given.has(kOlder)) refuse("{} and {} say the same thing: give one of them", kFlag, kOlder);
  const std::string_view flag = given.first_of({kFlag, kOlder});
  if (flag.empty()) return;
  static const std::vector<std::string> kTypes = {"general", "causal"};
  const std::string& type = given.value(flag);
  if (type == "general") {
    line.set(Axis::kMask, "full", flag);
    line.fall_back(Axis::kShard, "contiguous");
  } else if (type == "causal") {
    line.set(Axis::kMask, "causal", flag);
  } else {
    refuse_unknown(flag, type, kTypes);
  }
}

void translate_head_dim(const GivenFlags& given, NativeLine& line) {
  line.pass(Axis::kHeadDim, given, "--kv-channels");
  if (given.has("--kv-channels") || line.names(Axis::kHeadDim) || !given.has("--hidden-size")) return;
  if (!given.has("--num-attention-heads") && !line.names(Axis::kHeads)) return;
  const std::int64_t hidden = given.integer_or("--hidden-size", 1);
  const std::int64_t heads = line.integer_of(Axis::kHeads, given, "--num-attention-heads", 1);
  if (hidden % heads != 0) {
    refuse("--hidden-size {} is not divisible by heads {}: give --kv-channels", hidden, heads);
  }
  line.set(Axis::kHeadDim, std::to_string(hidden / heads), fmt::format("--hidden-size {} / heads {}", hidden, heads));
}

// In training K and V are made from their latents for every head: attention with keys of two parts, the second of which
// is for positions, and shorter values.
void translate_latent_attention(const GivenFlags& given, NativeLine& line) {
  const std::int64_t keys = given.integer_or("--qk-head-dim", 128),
                     positions = given.integer_or("--qk-pos-emb-head-dim", 64);
  line.set(Axis::kHeadDim, std::to_string(keys + positions), "--multi-latent-attention");
  line.set(Axis::kHeadDimV, std::to_string(given.integer_or("--v-head-dim", 128)), "--multi-latent-attention");
}

void translate_softmax(const GivenFlags& given, NativeLine& line) {
  constexpr std::string_view kFlag = "--softmax-type";
  static const std::vector<std::string> kTypes = {"vanilla", "off-by-one", "learnable"};
  if (!given.has(kFlag)) return;
  const std::string& type = given.value(kFlag);
  if (std::ranges::find(kTypes, type) == kTypes.end()) refuse_unknown(kFlag, type, kTypes);
  line.set(Axis::kSink, type == "vanilla" ? "off" : "on", kFlag);
  if (type == "off-by-one") line.note("--softmax-type off-by-one is a sink of logit 0; here its logits are drawn");
}

void translate_heads(const GivenFlags& given, NativeLine& line) {
  line.pass(Axis::kHeads, given, "--num-attention-heads");
  line.pass(Axis::kTensorParallel, given, "--tensor-model-parallel-size");
  if (given.is_on("--multi-latent-attention")) return translate_latent_attention(given, line);
  line.pass(Axis::kKvHeads, given, "--num-query-groups");
  const bool grouped = given.is_on("--group-query-attention"), has_groups = given.has("--num-query-groups");
  if (grouped && !has_groups) line.fall_back(Axis::kKvHeads, "1");
  if (has_groups && !grouped) {
    line.note("--num-query-groups holds without --group-query-attention too; Megatron would ignore it");
  }
  translate_head_dim(given, line);
}

void translate_dtype(const GivenFlags& given, NativeLine& line) {
  const bool bf16 = given.is_on("--bf16"), fp16 = given.is_on("--fp16");
  if (bf16 && fp16) refuse("--bf16 and --fp16 exclude each other");
  if (bf16) line.set(Axis::kDtype, "bf16", "--bf16");
  if (fp16) line.set(Axis::kDtype, "fp16", "--fp16");
  line.fall_back(Axis::kDtype, "fp32");
}

}  // namespace

void translate_megatron(const GivenFlags& given, NativeLine& line) {
  translate_algorithm(given, line);
  translate_mask(given, line);
  translate_softmax(given, line);
  line.pass(Axis::kCpSize, given, "--context-parallel-size");
  line.pass(Axis::kSeqLen, given, "--seq-length");
  line.pass(Axis::kBatch, given, "--micro-batch-size");
  translate_heads(given, line);
  translate_dtype(given, line);
  if (given.is_on("--megatron-cp-in-bnsd")) line.set(Axis::kLayout, "bhsd", "--megatron-cp-in-bnsd");
  if (given.is_on("--use-cp-send-recv-overlap")) line.set(Axis::kOverlap, "on", "--use-cp-send-recv-overlap");
  if (!mindspeed_flag(given).empty()) line.fall_back(Axis::kOverlap, "off");
  line.fall_back(Axis::kCpSize, "1");
  line.fall_back(Axis::kLayout, "sbhd");
}

}  // namespace cpbench
