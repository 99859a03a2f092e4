#include "cli/commands/estimate_options.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "cli/config/options.hpp"
#include "result/case_columns.hpp"
#include "support/error.hpp"
#include "support/naming.hpp"
#include "support/number.hpp"
#include "support/split.hpp"

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

constexpr const char* kFlag = "--rate";

/// In FLOP/s; none of a pass that is not needed, where it was measured and not given.
struct Rates {
  std::optional<double> forward, backward;
};

/// `TFLOPS` for both passes, or `fwd=TFLOPS,bwd=TFLOPS`.
Rates rates_of(const std::string& text) {
  if (text.find('=') == std::string::npos) {
    const double rate = parse_rate(kFlag, text) * kTera;
    return {rate, rate};
  }
  std::optional<double> forward, backward;
  for (const std::string_view part : split(text, ',')) {
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
  return {forward, backward};
}

/// `window` of `window:128`: how masked a tile is does not depend on the numbers.
std::string kind_of_mask(const Json& axes) {
  const std::string mask = text_of_axis(axes, "mask");
  return mask.substr(0, mask.find(':'));
}

/// What one rank attained in this pass, in TFLOP/s, where it was measured.
std::optional<double> measured_rate(const std::string& file, const std::vector<PointRecord>& points, const Json& axes,
                                    std::string_view pass) {
  const auto is_alike = [&](const PointRecord& point) {
    const auto equal = [&](const char* axis) { return point.axes.value(axis, Json()) == axes.at(axis); };
    return point.throughput && point.throughput->tflops_per_rank && point.axes.value("cp_size", Json()) == 1 &&
           point.axes.value("pass", Json()) == pass && equal("head_dim") && equal("head_dim_v") && equal("dtype") &&
           kind_of_mask(point.axes) == kind_of_mask(axes);
  };
  std::vector<std::string> ids;
  std::optional<double> rate;
  for (const PointRecord& point : points) {
    if (!is_alike(point)) continue;
    ids.push_back(point.id);
    rate = point.throughput->tflops_per_rank;
  }
  if (ids.size() > 1) {
    refuse(
        "{} {}: its points {} are all of one rank and of pass {}, and nothing says which of them to take; name a "
        "file that has one",
        kFlag, file, fmt::join(ids, ", "), pass);
  }
  return rate;
}

/// Each pass by itself where that was measured, else both together.
Rates measured_rates(const std::string& file, const std::vector<PointRecord>& points, const Json& axes) {
  const std::string pass = axes.at("pass");
  const auto rate = [&](std::string_view of_pass) {
    std::optional<double> found = measured_rate(file, points, axes, of_pass);
    if (!found && pass == "fwd+bwd") found = measured_rate(file, points, axes, pass);
    if (!found) {
      refuse(
          "{} {}: no point in it is of one rank with head_dim {}, head_dim_v {}, dtype {}, mask {} and pass {}; "
          "measure it with `cpbench run --cp-size 1`, or give the TFLOP/s",
          kFlag, file, axes.at("head_dim").dump(), axes.at("head_dim_v").dump(), axes.at("dtype").get<std::string>(),
          kind_of_mask(axes), pass);
    }
    return *found * kTera;
  };
  Rates rates;
  if (pass != "bwd") rates.forward = rate("fwd");
  if (pass != "fwd") rates.backward = rate("bwd");
  return rates;
}

bool is_file(std::string_view rate) { return rate.ends_with(".json") || rate.ends_with(".jsonl"); }

std::vector<PointRecord> points_of_file(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) refuse("{} {}: there is no such result file", kFlag, path);
  return read_launches(path).front().points;
}

/// What was given of an estimate that lacks something.
std::string given(const EstimateOptions& options) {
  if (!options.links.empty()) return "--links " + options.links;
  if (!options.rate.empty()) return "--rate " + options.rate;
  return "--memory-bandwidth " + options.memory_bandwidth;
}

}  // namespace

void add_estimate_options(CLI::App& command, EstimateOptions& options) {
  add_text(command, "--links", options.links, "SPEED",
           "estimates times, with --rate: GB/s[:us] of each rank's links, or inner=...,outer=...,all-to-all=..., as in "
           "run --emulate-link");
  add_text(command, "--rate", options.rate, "TFLOPS",
           "estimates times, with --links: what a rank attains in attention, or fwd=...,bwd=..., or a result file of "
           "run on one rank");
  add_text(command, "--memory-bandwidth", options.memory_bandwidth, "GB/S",
           "for estimates: at which a rank adds, copies and rounds; without it that takes no time");
  add_positive(command, "--memory", options.memory, "GIB", "memory of a rank: points that need more are marked");
}

std::optional<std::int64_t> EstimateOptions::memory_bytes() const {
  return memory ? std::optional(static_cast<std::int64_t>(std::min(*memory * kGibi, 9e18))) : std::nullopt;
}

Machines::Machines(const EstimateOptions& options, int ranks_per_node) : rate_(options.rate) {
  if (options.rate.empty()) {
    refuse(
        "{}: estimating times also needs --rate, the TFLOP/s that a rank attains in attention, for example --rate 400",
        given(options));
  }
  if (options.links.empty()) {
    refuse(
        "{}: estimating times also needs --links, the GB/s[:us] of a rank's links, for example --links "
        "inner=400:2,outer=50:5",
        given(options));
  }
  model_.links = naming(fmt::format("--links {}", options.links), [&] { return parse_link_model(options.links); });
  model_.links.ranks_per_node = ranks_per_node;
  if (!options.memory_bandwidth.empty()) {
    model_.memory_bytes_per_second = parse_rate("--memory-bandwidth", options.memory_bandwidth) * kGiga;
  }
  if (is_file(rate_)) {
    measured_ = points_of_file(rate_);
  } else {
    const Rates rates = rates_of(rate_);
    model_.forward_flops_per_second = rates.forward;
    model_.backward_flops_per_second = rates.backward;
  }
}

MachineModel Machines::of(const Json& axes) const {
  if (!is_file(rate_)) return model_;
  MachineModel model = model_;
  const Rates rates = measured_rates(rate_, measured_, axes);
  model.forward_flops_per_second = rates.forward;
  model.backward_flops_per_second = rates.backward;
  return model;
}

std::optional<Machines> machines_of(const EstimateOptions& options, int ranks_per_node) {
  const bool any = !options.links.empty() || !options.rate.empty() || !options.memory_bandwidth.empty();
  return any ? std::optional(Machines(options, ranks_per_node)) : std::nullopt;
}

}  // namespace cpbench
