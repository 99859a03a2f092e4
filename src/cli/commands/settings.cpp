#include "cli/commands/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "backend/kernel.hpp"
#include "cli/commands/together.hpp"
#include "schedule/program.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"
#include "support/names.hpp"
#include "support/naming.hpp"
#include "support/split.hpp"
#include "validate/device_reference.hpp"
#include "validate/host_reference.hpp"

namespace cpbench {
namespace {

std::string kernel_of(const std::string& asked, const DeviceBinding& binding) {
  const std::vector<std::string> known = binding.info ? binding.info->kernels : kernel_names();
  if (asked == "auto") return binding.info ? known.front() : kDefaultKernel;
  if (std::find(known.begin(), known.end(), asked) != known.end()) return asked;
  refuse_unknown(binding.info ? "kernel of " + binding.info->name : "kernel", asked, known);
}

/// `ipc+nccl` names two.
std::vector<const Carrier*> carriers_named(const std::string& asked, const std::string& platform) {
  std::vector<std::string> known;
  for (const Carrier* carrier : carriers_for(platform)) known.push_back(carrier->name);
  std::set<std::string> names;
  for (const std::string_view name : split(asked, '+')) {
    if (name.empty()) refuse("--transport {}: a name is empty; there are {}", asked, fmt::join(known, ", "));
    names.emplace(name);
  }
  std::vector<const Carrier*> found = carriers_for(platform);
  std::erase_if(found, [&](const Carrier* carrier) { return names.erase(carrier->name) == 0; });
  if (!names.empty() || found.empty()) {
    refuse("--transport {} is not in this build for --backend {}: it has {}", asked, platform, fmt::join(known, ", "));
  }
  const auto is_other = [&](const Carrier* carrier) { return carrier->is_queued != found.front()->is_queued; };
  if (std::ranges::any_of(found, is_other)) {
    refuse("--transport {}: messages are all moved by devices, or all by the host", asked);
  }
  return found;
}

/// By the carriers that were named, or by the device's if they reach all ranks and else by the host's.
Route route_of(const Communicator& world, const RunOptions& run, const DeviceBinding& binding) {
  const std::string platform = binding.platform->name();
  std::vector<std::vector<const Carrier*>> choices;
  if (run.transport == "auto") {
    choices.resize(2);
    for (const Carrier* carrier : carriers_for(platform)) choices[carrier->is_queued ? 0 : 1].push_back(carrier);
  } else {
    choices = {carriers_named(run.transport, platform)};
  }
  std::string obstacle;
  for (const std::vector<const Carrier*>& carriers : choices) {
    if (carriers.empty()) continue;
    if (carriers.front()->is_queued && !run.emulate_link.empty()) {  // links are emulated where the host moves messages
      obstacle = "the device moves its messages, so no link is emulated";
      continue;
    }
    Route route(world, binding.device, carriers);
    if (route.obstacle().empty()) return route;
    obstacle = route.obstacle();
  }
  refuse("--transport {}: {}", run.transport, obstacle);
}

/// fp64 on the host, or what the rank's own device computes.
MakeSingleDevice reference_of(const std::string& asked, const DeviceBinding& binding) {
  constexpr const char* kHost = "fp64";
  constexpr const char* kDevice = "device";
  if (asked == kHost) return make_reference;
  if (asked != kDevice) {
    naming("--reference", [&] { refuse_unknown("reference", asked, std::vector<std::string>{kHost, kDevice}); });
  }
  if (device_references().empty()) {
    refuse(
        "--reference device is not in this build: configure with -DCPBENCH_CUDA=ON where the CUDA toolkit has "
        "cuBLAS, or use --reference fp64");
  }
  const auto found = std::ranges::find(device_references(), binding.platform->name(), &DeviceReference::platform);
  if (found == device_references().end()) {
    const std::string reason =
        binding.note.empty() ? fmt::format("--backend {} has no device", binding.platform->name()) : binding.note;
    throw Error(ExitCode::kPlacement,
                fmt::format("--reference device: {}; use --backend cuda on a node with a GPU for each rank, or "
                            "--reference fp64",
                            reason));
  }
  return [make = found->make, device = binding.device](const Inputs& inputs, int threads) {
    return make(inputs, device, threads);
  };
}

/// Nothing that the user says is dropped silently.
std::vector<std::string> without_effect(const RunOptions& run, const DeviceBinding& binding, const Route& route,
                                        int ranks) {
  std::vector<std::string> notes;
  const std::string backend = fmt::format("--backend {}", binding.platform->name());
  const auto note = [&](bool is_said, const char* flag, const std::string& where) {
    if (is_said) notes.push_back(fmt::format("{} has no effect with {}", flag, where));
  };
  const bool on_devices = binding.info.has_value();
  note(run.allow_shared_gpu && !on_devices, "--allow-shared-gpu", backend);
  note(run.no_graphs && !on_devices, "--no-graphs", backend);
  note(run.comm_ctas.has_value() && !on_devices, "--comm-ctas", backend);
  note(run.comm_ctas.has_value() && on_devices && route.ctas(ranks) == 0, "--comm-ctas",
       fmt::format("--transport {}", route.name(ranks)));
  return notes;
}

/// Streams of a device that share a queue of its hardware take turns, and wait for each other's flags. There are those
/// of the program, of which all but one communicate and may have lanes side by side, and the default one; NCCL's own
/// come on top.
std::vector<std::string> on_queues_of_devices(const DeviceBinding& binding, const Route& route, int ranks) {
  constexpr const char* kVariable = "CUDA_DEVICE_MAX_CONNECTIONS";
  const char* const said = std::getenv(kVariable);
  if (said == nullptr || !binding.info || ranks == 1) return {};
  const int queues = std::atoi(said);
  const int streams = 1 + (kStreams - 1) * route.lanes(ranks) + 1;
  if (queues < 1 || queues >= streams) return {};
  return {
      fmt::format("warning: {}={}: computing and communicating may wait for each other; unset it", kVariable, queues)};
}

std::vector<std::string> notes_of(const RunOptions& run, const DeviceBinding& binding, const Route& route, int ranks) {
  std::vector<std::string> notes = without_effect(run, binding, route, ranks);
  std::ranges::move(on_queues_of_devices(binding, route, ranks), std::back_inserter(notes));
  return notes;
}

/// More threads would not end in any time, or cannot be made at all. The same verdict on all ranks.
int threads_of(int asked, const Placement& placement) {
  constexpr int kMostPerCpu = 4;
  if (asked == 0) return placement.threads_per_rank;
  const std::int64_t most = std::int64_t{kMostPerCpu} * placement.smallest_node_cpus;
  if (asked > most) {
    refuse("--threads {} per rank is too many for a node with {}: use at most {}", asked,
           counted(placement.smallest_node_cpus, "CPU"), most);
  }
  return asked;
}

/// Links by the kind of edge, or by node where the user says which ranks share one.
LinkModel link_of(const RunOptions& run, const SweepOptions& sweep) {
  if (run.emulate_link.empty()) return {};
  LinkModel model =
      naming(fmt::format("--emulate-link {}", run.emulate_link), [&] { return parse_link_model(run.emulate_link); });
  model.ranks_per_node = sweep.ranks_per_node;
  return model;
}

}  // namespace

int Settings::comm_ctas(int ranks) const {
  const int otherwise = route.ctas(ranks);
  return otherwise == 0 ? 0 : asked_ctas.value_or(otherwise);
}

int Settings::reserved_multiprocessors(const Program& program, const Communicator& ranks) const {
  const int ctas = comm_ctas(ranks.size());
  return ctas == 0 ? 0 : ctas * route.streams_with_blocks(program, ranks.rank(), ranks.size());
}

BackendOptions Settings::backend_options() const {
  return {.kernel = kernel, .threads = threads, .device = device.device, .graphs = graphs};
}

Settings settings_of(const Communicator& world, const RunOptions& run, const SweepOptions& sweep,
                     const Placement& placement) {
  const DeviceBinding binding = bind_device(world, placement, run.backend, run.allow_shared_gpu);
  const Route route = route_of(world, run, binding);
  std::optional<Settings> settings;
  together(world, [&] {
    settings = Settings{.iterations = run.iterations,
                        .warmup = run.warmup,
                        .check = run.check.empty() ? CheckMode{} : parse_check(run.check),
                        .reference = reference_of(run.reference, binding),
                        .input = naming("--input", [&] { return parse_input(run.input); }),
                        .seed = sweep.seed,
                        .device = binding,
                        .route = route,
                        .kernel = naming("--kernel", [&] { return kernel_of(run.kernel, binding); }),
                        .graphs = !run.no_graphs,
                        .asked_ctas = run.comm_ctas,
                        .link = link_of(run, sweep),
                        .threads = threads_of(run.threads, placement),
                        .notes = notes_of(run, binding, route, world.size())};
  });
  return *std::move(settings);
}

}  // namespace cpbench
