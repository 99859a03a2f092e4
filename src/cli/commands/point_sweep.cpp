#include "cli/commands/point_sweep.hpp"

#include <fmt/format.h>

#include <utility>

#include "backend/cpu/isa.hpp"
#include "cli/commands/together.hpp"
#include "result/trace.hpp"
#include "support/doing.hpp"
#include "support/naming.hpp"

namespace cpbench {
namespace {

/// Collective. A point that was not measured has none. No result is lost where it cannot be written.
void write_timelines(const Communicator& world, const std::string& mine, const std::string& path, const std::string& id,
                     const PointProgress& progress) {
  set_doing("writing the trace of point " + id);
  std::vector<std::string> timelines = world.gather(mine);
  std::erase(timelines, "");
  try {
    together(world, [&] {
      if (!timelines.empty()) write_trace(path, timelines, id);
    });
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUsage) throw;
    progress.lost(error.what());
  }
}

}  // namespace

ExitCode code_of(Status status) {
  if (status == Status::kInvalid) return ExitCode::kInvalid;
  return status == Status::kFailed ? ExitCode::kPlacement : ExitCode::kOk;
}

Execution execution_of(const Communicator& world, const RunOptions& run, const SweepOptions& sweep) {
  together(world, [&] {
    if (run.isa != "auto") naming("--isa or CPBENCH_ISA", [&] { set_isa(run.isa); });
  });
  const Placement placement = find_placement(world);
  Execution execution{placement, settings_of(world, run, sweep, placement)};
  const DeviceBinding& device = execution.settings.device;
  if (!device.note.empty() && world.rank() == 0) {
    fmt::print(stderr, "cpbench: {}: using --backend {}\n", device.note, device.platform->name());
  }
  for (const std::string& note : execution.settings.notes) {
    if (world.rank() == 0) fmt::print(stderr, "cpbench: {}\n", note);
  }
  for (const std::string& line : device.left_out) fmt::print(stderr, "cpbench: {}\n", line);
  if (device.info) {
    execution.placement.cpus = near_cpus(device.info->bus_id, placement.cpus);
    use_cpus(execution.placement.cpus);
  }
  return execution;
}

ResolvedSweep points_of(const Communicator& world, const Execution& execution, const SweepOptions& sweep,
                        const AxisFlags& flags) {
  const int ranks_per_node = sweep.ranks_per_node > 0 ? sweep.ranks_per_node : execution.placement.ranks_per_node;
  ResolvedSweep resolved;
  together(world, [&] {
    resolved = sweep_of(
        sweep, flags,
        {.world_size = world.size(), .cp_size_is_bounded = true, .ranks_per_node = ranks_per_node, .seed = sweep.seed});
  });
  std::vector<std::string> axes;
  for (const SweepPoint& point : resolved.points) axes.push_back(point.axes.dump());
  require_same(world, "the points to run", axes);
  return resolved;
}

std::string id_of(std::size_t index, const SweepPoint& point) {
  return fmt::format("{}-{}-cp{}", index, point.axes["algo"].get<std::string>(), point.axes["cp_size"].dump());
}

ExitCode run_points(const Communicator& world, const Execution& execution, const std::vector<SweepPoint>& points,
                    const PointVisitor& visitor) {
  PointRunner runner(world, execution.settings, execution.placement);
  ExitCode gravest = ExitCode::kOk;
  bool all_skipped = visitor.kept.empty();
  for (std::size_t index = 0; index < points.size(); ++index) {
    if (visitor.kept.contains(index)) continue;
    const std::string id = id_of(index, points[index]);
    PointRecord record = record_of(points[index], id, execution.settings, world.size());
    PointFiles files;
    together(world, [&] { files = visitor.begin(record); });
    files.dump = world.broadcast(files.dump);  // which rank 0 alone prepares
    if (points[index].of) runner.run(*points[index].of, files, visitor.measured, record, visitor.progress);
    if (record.status == Status::kFailed && points.size() == 1) throw Error(ExitCode::kPlacement, record.reason);
    gravest = graver(gravest, code_of(record.status));
    all_skipped = all_skipped && record.status == Status::kSkipped;
    const std::string timeline = std::exchange(record.timeline, {});
    together(world, [&] { visitor.end(std::move(record)); });
    // After the record: a trace that is too large for memory loses no result.
    if (!files.trace.empty()) write_timelines(world, timeline, files.trace, id, visitor.progress);
  }
  return all_skipped ? ExitCode::kAllSkipped : gravest;
}

}  // namespace cpbench
