#include "cli/commands/estimate_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/axes/number.hpp"
#include "cli/config/options.hpp"
#include "support/comma_list.hpp"
#include "support/error.hpp"
#include "support/naming.hpp"

namespace cpbench {
namespace {

constexpr double kTera = 1e12, kGiga = 1e9, kGibi = 1024 * 1024 * 1024;

/// Beyond any machine; times then fit into a line.
constexpr double kSlowest = 1e-9, kFastest = 1e9;

double parse_rate(std::string_view where, std::string_view text) {
  const double rate = parse_positive(where, text);
  if (rate < kSlowest || rate > kFastest) refuse("{}: {} is not from {} to {}", where, text, kSlowest, kFastest);
  return rate;
}

struct Rates {
  double forward, backward;  ///< FLOP/s
};

/// `TFLOPS` for both passes, or `fwd=TFLOPS,bwd=TFLOPS`.
Rates rates_of(const std::string& text) {
  constexpr const char* kFlag = "--rate";
  if (text.find('=') == std::string::npos) {
    const double rate = parse_rate(kFlag, text) * kTera;
    return {rate, rate};
  }
  std::optional<double> forward, backward;
  for (const std::string_view part : parts_of(text)) {
    const std::size_t equals = part.find('=');
    const std::string_view pass = part.substr(0, equals);
    if (equals == std::string_view::npos || (pass != "fwd" && pass != "bwd")) {
      refuse("{} {}: '{}' names no pass; write TFLOPS, or fwd=TFLOPS,bwd=TFLOPS", kFlag, text, part);
    }
    std::optional<double>& rate = pass == "fwd" ? forward : backward;
    if (rate) refuse("{} {}: {} is given twice", kFlag, text, pass);
    rate = parse_rate(fmt::format("{} {}", kFlag, text), part.substr(equals + 1)) * kTera;
  }
  if (!forward || !backward) {
    refuse("{} {}: {} is missing; write fwd=TFLOPS,bwd=TFLOPS, or one number for both", kFlag, text,
           forward ? "bwd" : "fwd");
  }
  return {*forward, *backward};
}

/// What was given of an estimate that lacks something.
std::string given(const EstimateOptions& options) {
  if (!options.links.empty()) return "--links " + options.links;
  if (!options.rate.empty()) return "--rate " + options.rate;
  if (!options.memory_bandwidth.empty()) return "--memory-bandwidth " + options.memory_bandwidth;
  return fmt::format("--memory {}", *options.memory);
}

}  // namespace

void add_estimate_options(CLI::App& command, EstimateOptions& options) {
  add_text(command, "--links", options.links, "SPEED",
           "estimates times, with --rate: GB/s[:us] of each rank's links, or inner=...,outer=...,all-to-all=..., as in "
           "run --emulate-link");
  add_text(command, "--rate", options.rate, "TFLOPS",
           "estimates times, with --links: what a rank attains in attention, or fwd=...,bwd=...");
  add_text(command, "--memory-bandwidth", options.memory_bandwidth, "GB/S",
           "of estimates: at which a rank adds, copies and rounds; without it that takes no time");
  add_positive(command, "--memory", options.memory, "GIB",
               "of estimates: what a rank has; points of a sweep that need more are marked");
}

std::optional<std::int64_t> EstimateOptions::memory_bytes() const {
  return memory ? std::optional(static_cast<std::int64_t>(std::min(*memory * kGibi, 9e18))) : std::nullopt;
}

std::optional<MachineModel> machine_model_of(const EstimateOptions& options, int ranks_per_node) {
  const bool any = !options.links.empty() || !options.rate.empty() || !options.memory_bandwidth.empty() ||
                   options.memory.has_value();
  if (!any) return std::nullopt;
  if (options.rate.empty()) {
    refuse(
        "{}: to estimate times takes --rate too, the TFLOP/s that a rank attains in attention, for example --rate 400",
        given(options));
  }
  if (options.links.empty()) {
    refuse(
        "{}: to estimate times takes --links too, the GB/s[:us] of a rank's links, for example --links "
        "inner=400:2,outer=50:5",
        given(options));
  }
  MachineModel machine;
  machine.links = naming(fmt::format("--links {}", options.links), [&] { return parse_link_model(options.links); });
  machine.links.ranks_per_node = ranks_per_node;
  const Rates rates = rates_of(options.rate);
  machine.forward_flops_per_second = rates.forward;
  machine.backward_flops_per_second = rates.backward;
  if (!options.memory_bandwidth.empty()) {
    machine.memory_bytes_per_second = parse_rate("--memory-bandwidth", options.memory_bandwidth) * kGiga;
  }
  return machine;
}

}  // namespace cpbench
