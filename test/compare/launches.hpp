// Launches made by hand, for tests of what is compared.
#pragma once

#include <fmt/format.h>

#include "result/launch.hpp"

namespace cpbench {

inline nlohmann::ordered_json ring() { return {{"algo", "ring"}, {"cp_size", 2}, {"isa", "avx2"}}; }
inline nlohmann::ordered_json ulysses() { return {{"algo", "ulysses"}, {"cp_size", 2}, {"isa", "avx2"}}; }

/// One whose iterations all took the same.
inline PointRecord measured_point(const nlohmann::ordered_json& axes, double full, double compute_only = 0.5,
                                  double comm_only = 0.25) {
  PointRecord point;
  point.id = axes.dump();
  point.axes = axes;
  point.timing = Timing{.full = summarize({full, full, full}),
                        .compute_only = summarize({compute_only, compute_only, compute_only}),
                        .comm_only = summarize({comm_only, comm_only, comm_only})};
  point.comm = CommFigures{.bytes_sent_per_rank = 1};
  return point;
}

inline PointRecord unmeasured_point(const nlohmann::ordered_json& axes, Status status, const std::string& reason) {
  PointRecord point;
  point.id = axes.dump();
  point.axes = axes;
  point.status = status;
  point.reason = reason;
  return point;
}

/// `started`: minutes past noon.
inline Launch launch(const std::string& path, std::vector<PointRecord> points, int started = 0) {
  Launch launch{.path = path, .header = {}, .points = std::move(points)};
  Header& header = launch.header;
  header.tool = {.version = "0.1.0",
                 .git = "abc",
                 .dirty = false,
                 .build = {.type = "Release", .compiler = "GNU 12.2.0", .flags = "-O3"}};
  header.command.started = fmt::format("2026-11-29T12:{:02}:00Z", started);
  header.environment.mpi = "Open MPI v4.1.4";
  header.environment.variables = {{"OMP_NUM_THREADS", "1"}};
  for (int rank = 0; rank < 2; ++rank) {
    header.ranks.push_back({.rank = rank, .host = "node1", .local_rank = rank, .device = "a CPU", .cpus = "0-1"});
  }
  return launch;
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
