// `cpbench run`: measures and checks a point or a sweep.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "backend/cpu/isa.hpp"
#include "cli/commands/deadline.hpp"
#include "cli/commands/job_header.hpp"
#include "cli/commands/point_sweep.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/together.hpp"
#include "cli/config/cli11.hpp"
#include "result/file.hpp"
#include "result/json.hpp"
#include "result/progress.hpp"
#include "result/table.hpp"
#include "result/trace.hpp"
#include "validate/dump.hpp"

namespace cpbench {
namespace {

/// A file of one point of several: `trace.json` becomes `trace.3-ring-cp8.json`.
std::string file_of(const std::string& path, const std::string& id, bool several) {
  if (path.empty() || !several) return path;
  const std::filesystem::path whole(path);
  return (whole.parent_path() / (whole.stem().string() + "." + id + whole.extension().string())).string();
}

std::vector<Json> cases_of(const std::vector<SweepPoint>& points) {
  std::vector<Json> cases;
  for (const SweepPoint& point : points) cases.push_back(point.axes);
  return cases;
}

/// The axes that differ between the points, but for those that everywhere have the default that other axes give them.
std::vector<std::string> axes_with_columns(const std::vector<Json>& cases) {
  std::set<std::string> noted;
  for (const Json& axes : cases) {
    const Json of_case = noteworthy(axes);
    for (const auto& item : of_case.items()) noted.insert(item.key());
  }
  std::vector<std::string> names = extra_axes_of(cases);
  std::erase_if(names, [&](const std::string& name) { return !noted.contains(name); });
  return names;
}

TableContext context_of(const Execution& execution, const std::vector<SweepPoint>& points, int ranks) {
  const Settings& settings = execution.settings;
  const std::string link = to_string(settings.link);
  const std::string kernels = settings.device.info ? settings.kernel : fmt::format("{}, {}", settings.kernel, isa());
  return {.backend = fmt::format("{} ({})", settings.device.platform->name(), kernels),
          .transport = settings.route.describe(ranks) + (link.empty() ? "" : " with links emulated at " + link),
          .threads = settings.threads,
          .axes = noteworthy(shared_axes_of(cases_of(points)))};
}

/// Results as they come: rows on stdout, lines in the .jsonl file, and at the end the result file. Rank 0's.
class Output {
 public:
  Output(const RunOptions& options, Header header, const std::vector<SweepPoint>& points, const TableContext& context)
      : options_(options),
        table_(axes_with_columns(cases_of(points))),
        progress_(static_cast<int>(points.size()), true) {
    file_.header = std::move(header);
    heading_ = table_.header(file_.header, context);
  }

  /// `record`: what is known of a point before it is run.
  void begin(const PointRecord& record) {
    const std::lock_guard lock(mutex_);
    in_flight_ = record;
    progress_.begin(record.id);
  }
  /// The table begins with the first point that runs or has a row: where the only one is refused there is none.
  void begin_table() {
    const std::lock_guard lock(mutex_);
    print(std::exchange(heading_, {}));
  }
  void advance(int done, int iterations) {
    const std::lock_guard lock(mutex_);
    progress_.advance(done, iterations);
  }
  void add(PointRecord record) {
    const std::lock_guard lock(mutex_);
    write(std::move(record));
  }
  /// Called by another thread, when the job is about to be ended: what was in flight did not finish.
  void expire(double allowed_s) {
    const std::lock_guard lock(mutex_);
    if (!in_flight_) return;
    in_flight_->status = Status::kTimeout;
    in_flight_->reason = fmt::format("not finished when the {} s of --timeout were over", allowed_s);
    write(*in_flight_);
    print(Table::footer(file_.points));
  }
  void finish(ExitCode code, double elapsed_s) {
    print(Table::footer(file_.points));
    file_.summary = summary_of(file_.points, static_cast<int>(code), elapsed_s);
    if (!options_.json.empty()) {
      write_atomically(options_.json, text_of(json_of(file_), 2) + "\n", options_.overwrite);
    }
  }

 private:
  void write(PointRecord record) {
    in_flight_.reset();
    progress_.finish();
    print(std::exchange(heading_, {}) + table_.row(record));
    if (!options_.json.empty()) append(record);
    file_.points.push_back(std::move(record));
  }
  /// The file begins with its first point: a run that is refused before leaves older results as they are.
  void append(const PointRecord& record) {
    if (!lines_) {
      lines_ = std::make_unique<LineWriter>(lines_path(options_.json), options_.overwrite);
      lines_->append(text_of(json_of(file_.header)));
    }
    lines_->append(text_of(json_of(record)));
  }
  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const RunOptions& options_;
  ResultFile file_;
  Table table_;
  std::string heading_;  ///< until it is printed
  Progress progress_;
  std::unique_ptr<LineWriter> lines_;
  std::mutex mutex_;
  std::optional<PointRecord> in_flight_;
};

class RunCommand : public Subcommand {
 public:
  explicit RunCommand(CLI::App& parent) {
    app = parent.add_subcommand("run", "Measure and check one case, a sweep from flags, or a config file");
    add_sweep_options(*app, sweep_);
    add_run_options(*app, run_);
    flags_ = std::make_unique<AxisFlags>(*app);
  }

  ExitCode execute(const Job& job) override {
    const auto start = std::chrono::steady_clock::now();
    const Communicator& world = *job.world;
    const Execution execution = execution_of(world, run_, sweep_);
    const std::vector<SweepPoint> points = points_of(world, execution, sweep_, *flags_);
    together(world, [&] {
      if (job.speaks) check_files(points);
    });
    warn(job, thread_warning(world, execution.placement, execution.settings.threads));

    Header header = header_of(job, execution.placement, execution.settings.device, sweep_.config);
    std::unique_ptr<Output> output;
    together(world, [&] {
      if (job.speaks)
        output = std::make_unique<Output>(run_, std::move(header), points, context_of(execution, points, world.size()));
    });
    const Deadline deadline(run_.timeout_s, world, [&] {
      if (output) output->expire(*run_.timeout_s);
    });
    const auto begin = [&](const PointRecord& record) {
      PointFiles files = files_of(record.id, points);
      if (output) output->begin(record);
      if (output && !files.dump.empty() && record.status != Status::kSkipped) {
        prepare_dump(files.dump, run_.overwrite);
      }
      return files;
    };
    const auto end = [&](PointRecord record) {
      if (!output) return;
      const std::string id = record.id;
      const std::vector<std::string> timelines = std::exchange(record.timelines, {});
      output->add(std::move(record));  // first: a trace that cannot be written loses no result
      if (!timelines.empty()) write_trace(files_of(id, points).trace, timelines, id, /*overwrite=*/true);
    };
    const auto fits = [&] {
      if (output) output->begin_table();
    };
    const auto iterated = [&](int done, int iterations) {
      if (output) output->advance(done, iterations);
    };
    const PointProgress progress{.fits = fits, .iterated = iterated};
    const ExitCode code =
        run_points(world, execution, points, {.measured = true, .begin = begin, .end = end, .progress = progress});
    const double elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (output) output->finish(code, elapsed_s);
    return code;
  }

 private:
  /// What cannot be written is said before the run.
  void check_files(const std::vector<SweepPoint>& points) const {
    std::vector<std::string> files;
    if (!run_.json.empty() && lines_path(run_.json) == run_.json) {
      refuse("--json {}: a file of this name takes the lines of finished points; name the result {}", run_.json,
             std::filesystem::path(run_.json).replace_extension(".json").string());
    }
    if (!run_.json.empty()) files = {run_.json, lines_path(run_.json)};
    for (std::size_t index = 0; index < points.size() && !run_.trace.empty(); ++index) {
      files.push_back(files_of(id_of(index, points[index]), points).trace);
    }
    std::set<std::filesystem::path> distinct;
    for (const std::string& file : files) {
      check_writable(file, run_.overwrite);
      if (!distinct.insert(std::filesystem::weakly_canonical(file)).second) {
        refuse("\"{}\" would be written twice: results, their lines and traces need files of their own", file);
      }
    }
    if (!run_.dump.empty()) prepare_dump(run_.dump, run_.overwrite);
  }

  PointFiles files_of(const std::string& id, const std::vector<SweepPoint>& points) const {
    const bool several = points.size() > 1;
    return {.trace = file_of(run_.trace, id, several),
            .dump = run_.dump.empty() || !several ? run_.dump : run_.dump + "/" + id};
  }

  static void warn(const Job& job, const std::string& text) {
    if (job.speaks && !text.empty()) fmt::print(stderr, "cpbench: {}\n", text);
  }

  SweepOptions sweep_;
  RunOptions run_;
  std::unique_ptr<AxisFlags> flags_;
};

}  // namespace

std::unique_ptr<Subcommand> make_run_command(CLI::App& app) { return std::make_unique<RunCommand>(app); }

}  // namespace cpbench
