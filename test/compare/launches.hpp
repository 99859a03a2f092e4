// Launches made by hand, for tests of what is compared.
#pragma once

#include <fmt/format.h>

#include "compare/launch.hpp"

namespace cpbench {

inline nlohmann::ordered_json ring() { return {{"algo", "ring"}, {"cp_size", 2}, {"isa", "avx2"}}; }
inline nlohmann::ordered_json ulysses() { return {{"algo", "ulysses"}, {"cp_size", 2}, {"isa", "avx2"}}; }

/// One whose iterations all took the same.
inline LaunchPoint measured_point(const nlohmann::ordered_json& axes, double full, double compute_only = 0.5,
                                  double comm_only = 0.25) {
  return {.id = axes.dump(),
          .axes = axes,
          .status = "ok",
          .reason = "",
          .times = {.full = {full, full, full},
                    .compute_only = {compute_only, compute_only, compute_only},
                    .comm_only = {comm_only, comm_only, comm_only}},
          .sends = true};
}

inline LaunchPoint unmeasured_point(const nlohmann::ordered_json& axes, const std::string& status,
                                    const std::string& reason) {
  return {.id = axes.dump(), .axes = axes, .status = status, .reason = reason, .times = {}};
}

/// `started`: minutes past noon.
inline Launch launch(const std::string& path, std::vector<LaunchPoint> points, int started = 0) {
  return {.path = path,
          .origin = {.tool = "0.1.0 (git abc)",
                     .build = "Release GNU 12.2.0 -O3",
                     .mpi = "Open MPI v4.1.4",
                     .devices = "2 x a CPU",
                     .hosts = "node1",
                     .cpus = "0-1",
                     .variables = "OMP_NUM_THREADS=1",
                     .started = fmt::format("2026-11-29T12:{:02}:00Z", started)},
          .points = std::move(points)};
}

/// Launches of the ring, one for each time, a minute from each other.
inline std::vector<Launch> ring_launches(const std::string& name, const std::vector<double>& times) {
  std::vector<Launch> launches;
  for (const double time : times) {
    const int number = static_cast<int>(launches.size());
    launches.push_back(launch(name + std::to_string(number), {measured_point(ring(), time)}, number));
  }
  return launches;
}

}  // namespace cpbench
