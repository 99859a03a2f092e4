// What a run leaves behind: the result file, field by field (docs/result.schema.json, docs/results-format.md).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/device_monitor.hpp"
#include "run/timing.hpp"
#include "support/int128.hpp"
#include "validate/report.hpp"

namespace cpbench {

/// How the program was built.
struct BuildInfo {
  std::string type;      ///< CMake's build type
  std::string compiler;  ///< `GNU 12.2.0`
  std::string flags;
};

struct Tool {
  std::string version;
  std::optional<std::string> git;  ///< `git describe --long` with the full hash; none when built from a tarball
  std::optional<bool> dirty;       ///< whether tracked files differed from that commit
  BuildInfo build;
};

struct Command {
  std::vector<std::string> argv;
  std::optional<std::string> config;  ///< path of the config file as it was given
  std::optional<std::string> sha256;  ///< of the config file's contents
  std::string started;                ///< UTC, `2025-01-31T12:00:00Z`
};

/// Of rank 0's process. What a build or a machine does not have is left out.
struct Environment {
  std::string hostname;
  std::string kernel;  ///< `Linux 6.1.0-18-amd64 x86_64`
  std::string cpu;     ///< the name that the CPU gives itself
  std::optional<std::string> mpi, cuda, driver, nccl_header, nccl_library;
  std::map<std::string, std::string> variables;  ///< of the allow-list in environment.cpp, Slurm's among them
};

struct RankInfo {
  int rank = 0;
  std::string host;
  int local_rank = 0;
  std::string device;               ///< the name that the driver or the CPU gives itself
  std::optional<std::string> uuid;  ///< of a GPU
  std::optional<std::string> isa;   ///< of a CPU that computes: the instruction set of its kernels
  std::string cpus;                 ///< CPUs that the rank may use, `0-3,8`
};

enum class Status : std::uint8_t { kOk, kInvalid, kSkipped, kFailed, kTimeout, kInterrupted };
inline constexpr int kStatuses = 6;
std::string_view name_of(Status status);  ///< `ok`, `invalid`, `skipped`, `failed`, `timeout`, `interrupted`

/// From the median of the full iterations. Empty where a denominator is zero or unknown.
struct Throughput {
  std::string flop_model;
  int128 flops = 0;                       ///< of one iteration, all ranks
  std::optional<double> tflops_per_rank;  ///< 1e12 FLOP/s, mean over ranks
  std::optional<double> iterations_per_s;
  std::optional<double> tokens_per_s;  ///< tokens of the whole batch, all ranks together
  std::optional<double> fraction_of_compute_only;
  std::optional<double> peak_tflops;  ///< per rank
  std::optional<double> fraction_of_peak;
};

struct CommFigures {
  std::int64_t bytes_sent_per_rank = 0;      ///< payload of one iteration, maximum over ranks, self-sends not counted
  std::optional<double> bus_bandwidth;       ///< 1e9 bytes/s; empty without communication
  double exposed_s = 0;                      ///< negative within noise
  std::optional<double> overlap_efficiency;  ///< empty without communication
};

/// Of the rank that needs most.
struct MemoryFigures {
  std::int64_t planned_bytes = 0;
  std::optional<std::int64_t> peak_bytes;  ///< what was allocated before the first run, where the backend counts it
};

/// Of a point that was planned and not run: its programs were proved, and its times, if it has any, are estimated.
struct PlanFigures {
  std::optional<double> load_balance;               ///< mean / largest FLOPs of a rank
  std::optional<std::int64_t> bytes_between_nodes;  ///< sent in one iteration, maximum over ranks; empty with one node
  std::optional<std::int64_t> available_bytes;      ///< memory that a rank has
};

/// How fast a rank's device was allowed to run while the point was measured.
struct RankDeviceState {
  int rank = 0;
  DeviceState state;
};

/// An operation of rank 0 in one full iteration, in seconds from the iteration's first operation.
struct Step {
  std::string label, kind, stream;
  std::string pass;  ///< `fwd` or `bwd`: labels are the same in both
  double begin_s = 0, end_s = 0;
};

struct PointRecord {
  std::string id;
  nlohmann::ordered_json axes;  ///< `case`: every axis resolved, named as its flag with underscores
  Status status = Status::kOk;
  std::string reason;  ///< empty only where the status is ok
  std::optional<ValidationReport> validation;
  std::optional<Timing> timing;
  std::optional<Throughput> throughput;  ///< written only where the status is ok
  std::optional<CommFigures> comm;
  std::optional<MemoryFigures> memory;
  std::optional<PlanFigures> plan;       ///< of every point of a plan, and of no other
  int reserved_multiprocessors = 0;      ///< of the rank that leaves most to communication
  std::vector<RankDeviceState> devices;  ///< of ranks whose devices tell
  std::vector<Step> steps;
  /// Of this rank, for write_trace, where a trace is wanted; not part of the result file.
  std::string timeline;

  /// Its times may be compared with others: it was measured, or they were estimated, and it is right where it was
  /// checked.
  bool is_measured() const { return status == Status::kOk && timing.has_value(); }
  /// Likewise what else is known of it: it was measured, or planned.
  bool has_figures() const { return is_measured() || (status == Status::kOk && plan.has_value()); }
  /// Not known to need more memory than a rank has.
  bool fits() const {
    return !plan || !plan->available_bytes || !memory || memory->planned_bytes <= *plan->available_bytes;
  }
  /// Any bytes between ranks.
  bool sends() const { return comm && comm->bytes_sent_per_rank > 0; }
};

/// Whether they are of a plan.
bool are_planned(std::span<const PointRecord> points);

struct Summary {
  int points = 0;
  int by_status[kStatuses] = {};
  int exit_code = 0;
  double elapsed_s = 0;

  int count(Status status) const { return by_status[static_cast<int>(status)]; }
};
Summary summary_of(const std::vector<PointRecord>& points, int exit_code, double elapsed_s);

/// What is known before the first point: the first line of the .jsonl file, and the head of the .json file.
struct Header {
  Tool tool;
  Command command;
  Environment environment;
  std::vector<RankInfo> ranks;
  /// Heads of earlier jobs whose points this one kept, the oldest first, each with the ids of its points; as the file
  /// has them.
  std::vector<nlohmann::ordered_json> resumed = {};
};

struct ResultFile {
  Header header;
  std::vector<PointRecord> points;
  Summary summary;
};

}  // namespace cpbench
