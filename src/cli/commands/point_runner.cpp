#include "cli/commands/point_runner.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "backend/cpu/isa.hpp"
#include "cli/commands/memory_plans.hpp"
#include "cli/commands/require_verified.hpp"
#include "cli/commands/together.hpp"
#include "result/derive.hpp"
#include "result/json.hpp"
#include "result/trace.hpp"
#include "run/result_hash.hpp"
#include "support/doing.hpp"
#include "support/error.hpp"
#include "transport/backoff.hpp"
#include "validate/dump.hpp"

namespace cpbench {
namespace {

/// Of all ranks whose devices tell, on rank 0.
std::vector<RankDeviceState> states_of(const Communicator& ranks, const std::optional<DeviceState>& mine) {
  const std::vector<std::string> all = ranks.gather((mine ? json_of(*mine) : Json(nullptr)).dump());
  std::vector<RankDeviceState> states;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const Json one = Json::parse(all[rank]);
    if (one.is_null()) continue;
    states.push_back({static_cast<int>(rank), device_state_of(one)});
  }
  return states;
}

}  // namespace

Json axes_with(const Json& axes, const Settings& settings, int ranks) {
  Json all = axes;
  all["input"] = name_of(settings.input);
  all["seed"] = settings.seed;
  all["backend"] = settings.device.platform->name();
  all["transport"] = settings.route.name(ranks);
  all["kernel"] = settings.kernel;
  all["isa"] = isa();
  all["threads"] = settings.threads;
  if (const int ctas = settings.comm_ctas(ranks); ctas > 0) all["comm_ctas"] = ctas;
  const std::string link = to_string(settings.link);
  all["emulate_link"] = link.empty() ? Json(nullptr) : Json(link);
  if (settings.link.ranks_per_node > 0) all["ranks_per_node"] = settings.link.ranks_per_node;
  return all;
}

PointRecord record_of(const SweepPoint& point, const std::string& id, const Settings& settings, int ranks) {
  PointRecord record;
  record.id = id;
  record.axes = axes_with(point.axes, settings, point.of ? point.of->cp_size() : ranks);
  if (!point.of) {
    record.status = Status::kSkipped;
    record.reason = point.skipped_because;
  }
  return record;
}

LocalResults results_of(RankJob& job, const Case& c) {
  const OwnedBuffers& own = job.program().owned;
  const ProgramMemory& memory = job.results();
  LocalResults results{.out = memory.view(own.out).first, .lse = memory.view(own.lse).first};
  if (c.pass == Pass::kForward) return results;
  results.dq = memory.view(own.dq).first;
  results.dk = memory.view(own.dkv).first;
  results.dv = memory.view(own.dkv).second;
  if (own.dsink != kNoBuffer) {
    results.dsink = reinterpret_cast<const float*>(memory.buffers[static_cast<std::size_t>(own.dsink)]);
  }
  return results;
}

PointRunner::PointRunner(const Communicator& world, const Settings& settings, const Placement& placement)
    : world_(world),
      settings_(settings),
      placement_(placement),
      cpus_(world.sum_over_ranks(placement.local_rank == 0 ? placement.node_cpus : 0)) {
  Backoff::set_cores_suffice(cores_suffice(world, placement, settings.threads));
}

void PointRunner::run(const Case& c, const PointFiles& files, bool measured, PointRecord& record,
                      const PointProgress& progress) {
  const auto ranks = world_.first(c.cp_size());
  try {
    together(world_, [&] {
      if (ranks) run_on(*ranks, c, files, measured, record, progress);
    });
  } catch (const Error& error) {
    if (error.code() != ExitCode::kPlacement) throw;
    record.status = Status::kFailed;
    record.reason = error.what();
  }
}

void PointRunner::run_on(const Communicator& ranks, const Case& c, const PointFiles& files, bool measured,
                         PointRecord& record, const PointProgress& progress) {
  set_doing("planning point " + record.id);
  together(ranks, [&] {
    const std::int64_t available = available_memory();
    require_memory(ranks.node(), plan_of_programs(c, available), available);
  });
  const Schedule schedule = build_schedule(c);
  const Program& program = schedule.programs[static_cast<std::size_t>(ranks.rank())];
  const auto bytes_of = [&](const Program& p) {
    return settings_.device.platform->planned_bytes(c.problem, p, settings_.backend_options());
  };
  const std::int64_t planned_bytes = bytes_of(program);
  std::function<std::int64_t()> unpruned_bytes;
  if (schedule.pruned) unpruned_bytes = [&] { return bytes_of(unpruned_program(c, ranks.rank())); };
  together(ranks, [&] { require_memory(ranks, settings_.device, plan_of_buffers(c, planned_bytes, unpruned_bytes)); });
  require_verified(schedule, ranks);
  set_doing("running point " + record.id);
  with_rank_job(schedule, ranks, settings_, [&](RankJob& job) {
    progress.fits();
    record.memory = MemoryFigures{.planned_bytes = ranks.max_over_ranks(planned_bytes), .peak_bytes = std::nullopt};
    if (const std::optional<std::int64_t> bytes = job.backend().bytes_in_use()) {
      record.memory->peak_bytes = ranks.max_over_ranks(*bytes);
    }
    record.reserved_multiprocessors = ranks.max_over_ranks(job.backend().reserved_multiprocessors());
    execute(job, ranks, schedule, files, measured, record, progress);
    expect_polls(ranks, job);
  });
}

void PointRunner::expect_polls(const Communicator& ranks, const RankJob& job) const {
  constexpr double kLongMs = 10;  // kernels are to poll every millisecond, and cores may be shared
  const double longest_ms = ranks.max_over_ranks(static_cast<double>(job.longest_unpolled_ns())) * 1e-6;
  static bool is_said = false;
  if (longest_ms < kLongMs || ranks.rank() != 0 || std::exchange(is_said, true)) return;
  fmt::print(stderr,
             "cpbench: warning: kernel {} never called poll in {:.0f} ms of an attend: no message progresses while it "
             "computes, and nothing is overlapped (docs/kernels.md)\n",
             settings_.kernel, longest_ms);
}

void PointRunner::execute(RankJob& job, const Communicator& ranks, const Schedule& schedule, const PointFiles& files,
                          bool measured, PointRecord& record, const PointProgress& progress) {
  const Case& c = schedule.of;
  const Inputs inputs(c.problem, settings_.input, settings_.seed);
  job.fill(inputs);
  job.run_once();
  set_doing("checking point " + record.id);
  const CheckMode mode = resolve(settings_.check, c.problem, c.pass, workers_of(ranks));
  const bool checked = mode.kind != CheckMode::Kind::kOff;
  const std::uint64_t checked_results = checked ? hash_of_results(job.results()) : 0;
  const ValidationReport report = checked ? check(job, ranks, c, inputs, mode) : ValidationReport();
  if (!files.dump.empty()) write_dump(job, ranks, c, inputs, files.dump, report, progress);
  if (checked) record.validation = report;
  if (checked && !report.passed) {
    record.status = Status::kInvalid;
    record.reason = report.reason();
    return;
  }
  if (!measured) return;
  set_doing("measuring point " + record.id);
  measure(job, ranks, schedule, !files.trace.empty(), record, progress);
  if (!checked) return;
  if (job.backend().is_reproducible()) return expect_same_results(job, ranks, checked_results, record);
  set_doing("checking point " + record.id);
  const ValidationReport after = check(job, ranks, c, inputs, mode);
  if (after.passed) return;
  record.status = Status::kInvalid;
  record.reason = "after the last timed iteration: " + after.reason();
}

/// What was checked is a run before the measurement; what is reported is as good only if its last run made the same.
void PointRunner::expect_same_results(RankJob& job, const Communicator& ranks, std::uint64_t checked_results,
                                      PointRecord& record) const {
  const bool same = hash_of_results(job.results()) == checked_results;
  const int differing = ranks.min_over_ranks(same ? ranks.size() : ranks.rank());
  if (differing == ranks.size()) return;
  record.status = Status::kInvalid;
  record.reason = fmt::format(
      "the last timed iteration left other results on rank {} than those that were checked: a race, a stale buffer or "
      "a kernel whose results vary",
      differing);
}

int PointRunner::workers_of(const Communicator& ranks) const {
  return std::min(cpus_, ranks.size() * settings_.threads);
}

ValidationReport PointRunner::check(RankJob& job, const Communicator& ranks, const Case& c, const Inputs& inputs,
                                    const CheckMode& mode) const {
  const CheckOptions options{.mode = mode, .pass = c.pass, .threads = settings_.threads, .workers = workers_of(ranks)};
  std::unique_ptr<SingleDevice> reference;
  together(ranks, [&] { reference = settings_.reference(inputs, options.threads); });  // it may need a GPU's memory
  return check_results(inputs, *reference, options, job.tokens(), results_of(job, c), ranks);
}

void PointRunner::write_dump(RankJob& job, const Communicator& ranks, const Case& c, const Inputs& inputs,
                             const std::string& directory, const ValidationReport& report,
                             const PointProgress& progress) const {
  try {
    dump(directory, inputs, c.pass, job.tokens(), results_of(job, c), report, ranks);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUsage) throw;  // of another rank's device, say
    progress.lost(error.what());
  }
}

void PointRunner::measure(RankJob& job, const Communicator& ranks, const Schedule& schedule, bool traced,
                          PointRecord& record, const PointProgress& progress) {
  const Case& c = schedule.of;
  const DeviceBinding& device = settings_.device;
  const auto monitor = device.info ? device.platform->monitor(*device.info) : nullptr;
  const std::optional<double> before = last_peak(ranks, c.problem.dtype);
  const Measurement measurement = job.measure(progress.iterated);
  record.devices = states_of(ranks, monitor ? monitor->stop() : std::nullopt);
  Work work = work_of(schedule);
  const std::optional<double> after = measure_peak(ranks, c.problem.dtype);
  if (before && after) work.peak_tflops = std::max(*before, *after) * 1e-12;
  record.timing = measurement.timing;
  record.throughput = throughput_of(measurement.timing, work);
  record.comm = comm_figures_of(measurement.timing, work);
  record.steps = steps_of(job.program(), measurement.spans);
  if (!traced) return;
  const TraceSource source{.rank = ranks.rank(), .host = placement_.host, .clock = synchronize_clocks(ranks)};
  record.timeline = serialize_events(source, job.program(), c.problem.batch, measurement.spans);
}

std::optional<double> PointRunner::last_peak(const Communicator& ranks, DType dtype) {
  const auto last = peaks_.find({dtype, ranks.size()});
  return last != peaks_.end() ? last->second : measure_peak(ranks, dtype);
}

/// Of one rank, with all of `ranks` busy: the mean; nothing where it is not known of all, of one point or another.
std::optional<double> PointRunner::measure_peak(const Communicator& ranks, DType dtype) {
  ranks.barrier();
  const std::optional<double> mine = settings_.device.platform->peak_flops(dtype, settings_.backend_options());
  const bool all_know = ranks.min_over_ranks(mine ? 1 : 0) == 1;
  const double mean = ranks.sum_over_ranks(mine.value_or(0)) / ranks.size();
  return peaks_[{dtype, ranks.size()}] = all_know ? std::optional(mean) : std::nullopt;
}

}  // namespace cpbench
