// Launches made by hand, for tests of what is compared.
#pragma once

#include "compare/launch.hpp"

namespace cpbench {

inline LaunchPoint measured_point(const nlohmann::ordered_json& axes, std::vector<double> full) {
  return {.id = axes.dump(),
          .axes = axes,
          .status = "ok",
          .reason = "",
          .times = {.full = std::move(full), .compute_only = {0.5, 0.5, 0.5}, .comm_only = {0.25, 0.25, 0.25}},
          .sends = true};
}

inline LaunchPoint unmeasured_point(const nlohmann::ordered_json& axes, const std::string& status,
                                    const std::string& reason) {
  return {.id = axes.dump(), .axes = axes, .status = status, .reason = reason, .times = {}};
}

inline Launch launch(const std::string& path, std::vector<LaunchPoint> points) {
  return {.path = path,
          .origin = {.tool = "0.1.0 (git abc)",
                     .build = "Release GNU 12.2.0 -O3",
                     .mpi = "Open MPI v4.1.4",
                     .devices = "2 x a CPU",
                     .hosts = "node1",
                     .started = "2026-11-29T12:00:00Z"},
          .points = std::move(points)};
}

inline nlohmann::ordered_json ring() { return {{"algo", "ring"}, {"cp_size", 2}, {"isa", "avx2"}}; }
inline nlohmann::ordered_json ulysses() { return {{"algo", "ulysses"}, {"cp_size", 2}, {"isa", "avx2"}}; }

}  // namespace cpbench
