#include <nccl.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/platform.hpp"
#include "support/error.hpp"
#include "support/number.hpp"
#include "transport/carrier.hpp"
#include "transport/cuda/nccl_transport.hpp"

namespace cpbench {
namespace {

/// NCCL itself reckons with 14 GB/s of network to a block, 4 blocks for a card of 50 GB/s, and with two blocks for each
/// NVLink to a peer, up to 32: a quarter of an H100, and what finds no multiprocessor free waits for the end of a
/// persistent kernel, and the hop with it. Eight feed a network card twice over and are 6% of an H100, for each
/// stream.
constexpr int kCtas = 8;

/// By default NCCL lets launches of one communicator be outstanding side by side, of graphs and of single operations;
/// and what it does for that has been seen to deadlock CUDA where graphs hold several communicators, as those here do.
/// Nothing here needs it: a graph, or what is queued without one, ends before the next begins. Before main, when nobody
/// reads the environment yet: neither threads nor the result's header.
[[maybe_unused]] const int kGraphMixingForgone = setenv("NCCL_GRAPH_MIXING_SUPPORT", "0", /*overwrite=*/0);

bool takes_several_ranks_per_gpu() {
  constexpr int kSince = 23000;
  int version = 0;
  ncclGetVersion(&version);
  const char* const enabled = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
  return version >= kSince && enabled != nullptr && std::string_view(enabled) == "1";
}

/// One communicator serves all ranks: it can be made, or not.
std::vector<std::string> obstacles(const Communicator& ranks, int device) {
  const std::string uuid = find_platform("cuda").devices()[static_cast<std::size_t>(device)].uuid;
  std::vector<std::string> all = ranks.allgatherv(uuid);
  std::ranges::sort(all);
  if (std::ranges::adjacent_find(all) == all.end() || takes_several_ranks_per_gpu()) return no_obstacles(ranks, device);
  return {all.size(), "ranks share a GPU, which NCCL allows from version 2.30 on with NCCL_MULTI_RANK_GPU_ENABLE=1"};
}

/// Rank 0's word for all, so that none waits where another refuses it.
NcclOptions options_of(const Communicator& ranks, int ctas) {
  constexpr const char* kVariable = "CPBENCH_NCCL_TIMEOUT";
  constexpr double kForever = 1e8;  // years, and within what clocks can count
  NcclOptions options{.ctas = ctas};
  const char* const said = std::getenv(kVariable);
  const std::string text = ranks.broadcast(said == nullptr ? "" : said);
  if (text.empty()) return options;
  const std::optional<double> seconds = number_in(text);
  if (!seconds || *seconds <= 0) refuse("{}={} is no positive number of seconds", kVariable, text);
  options.patience = std::chrono::duration<double>(std::min(*seconds, kForever));
  return options;
}

std::unique_ptr<Transport> make(const Communicator& ranks, Backend& backend, const TransportOptions& options) {
  return std::make_unique<NcclTransport>(ranks, dynamic_cast<CudaBackend&>(backend).cuda_queues(),
                                         options_of(ranks, options.comm_ctas));
}

const RegisterCarrier kRegistered({.name = "nccl",
                                   .platform = "cuda",
                                   .preference = 1,
                                   .obstacles = obstacles,
                                   .make = make,
                                   .is_queued = true,
                                   .ctas = kCtas,
                                   .describe = [] { return "NCCL " + nccl_versions().library; },
                                   .nccl = nccl_versions});

}  // namespace
}  // namespace cpbench
