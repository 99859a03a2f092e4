// `cpbench run`: measures and checks a point or a sweep.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "backend/cpu/isa.hpp"
#include "cli/commands/deadline.hpp"
#include "cli/commands/job_header.hpp"
#include "cli/commands/point_runner.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/sweep_of.hpp"
#include "cli/commands/together.hpp"
#include "result/file.hpp"
#include "result/json.hpp"
#include "result/progress.hpp"
#include "result/table.hpp"
#include "validate/dump.hpp"

namespace cpbench {
namespace {

/// `3-double-ring-cp8`: stable within a sweep, and fit for a file's name.
std::string id_of(std::size_t index, const SweepPoint& point) {
  if (!point.of) return fmt::format("{}-skipped", index);
  return fmt::format("{}-{}-cp{}", index, name_of(point.of->algorithm), point.of->cp_size());
}

/// A file of one point of several: `trace.json` becomes `trace.3-ring-cp8.json`.
std::string file_of(const std::string& path, const std::string& id, bool several) {
  if (path.empty() || !several) return path;
  const std::filesystem::path whole(path);
  return (whole.parent_path() / (whole.stem().string() + "." + id + whole.extension().string())).string();
}

std::string dtypes_of(const std::vector<SweepPoint>& points) {
  std::vector<std::string> names;
  for (const SweepPoint& point : points) {
    if (!point.of) continue;
    const std::string name(name_of(point.of->problem.dtype));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ","));
}

/// Results as they come: rows on stdout, lines in the .jsonl file, and at the end the result file. Rank 0's.
class Output {
 public:
  Output(const RunOptions& options, Header header, const std::vector<SweepPoint>& points, const TableContext& context)
      : options_(options), table_(extra_axes(points)), progress_(static_cast<int>(points.size()), true) {
    file_.header = std::move(header);
    if (!options.json.empty()) {
      lines_ = std::make_unique<LineWriter>(lines_path(options.json), options.overwrite);
      lines_->append(text_of(json_of(file_.header)));
    }
    print(table_.header(file_.header, context));
  }

  void begin(const std::string& id) { progress_.begin(id); }
  void add(PointRecord record) {
    progress_.finish();
    print(table_.row(record));
    if (lines_) lines_->append(text_of(json_of(record)));
    file_.points.push_back(std::move(record));
  }
  ExitCode finish(double elapsed_s) {
    print(Table::footer(file_.points));
    const ExitCode code = exit_code();
    file_.summary = summary_of(file_.points, static_cast<int>(code), elapsed_s);
    if (!options_.json.empty()) {
      write_atomically(options_.json, text_of(json_of(file_), 2) + "\n", options_.overwrite);
    }
    return code;
  }

 private:
  static std::vector<std::string> extra_axes(const std::vector<SweepPoint>& points) {
    std::vector<Json> cases;
    for (const SweepPoint& point : points) {
      if (point.of) cases.push_back(point.axes);  // the others have only what was asked for
    }
    return extra_axes_of(cases);
  }
  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
  ExitCode exit_code() const {
    bool ran = false;
    ExitCode code = ExitCode::kOk;
    for (const PointRecord& point : file_.points) {
      if (point.status == Status::kInvalid) code = graver(code, ExitCode::kInvalid);
      if (point.status == Status::kFailed) code = graver(code, ExitCode::kPlacement);
      ran = ran || point.status != Status::kSkipped;
    }
    return ran ? code : ExitCode::kAllSkipped;
  }

  const RunOptions& options_;
  ResultFile file_;
  Table table_;
  Progress progress_;
  std::unique_ptr<LineWriter> lines_;
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
    if (run_.isa != "auto") set_isa(run_.isa);
    const Placement placement = find_placement(world);
    const Settings settings = settings_of(run_, sweep_, placement);
    const ResolveContext context{
        .world_size = world.size(),
        .cp_size_is_bounded = true,
        .ranks_per_node = sweep_.ranks_per_node > 0 ? sweep_.ranks_per_node : placement.local_size,
        .seed = sweep_.seed};
    const std::vector<SweepPoint> points = sweep_of(sweep_, *flags_, context);
    together(world, [&] {
      if (job.speaks) check_files();
    });
    warn(job, thread_warning(world, placement, settings.threads));

    Header header = header_of(job, placement, sweep_.config);
    std::unique_ptr<Output> output;
    together(world, [&] {
      if (!job.speaks) return;
      const std::string link = to_string(settings.link);
      const TableContext table{
          .backend = fmt::format("{} ({}, {})", settings.backend, settings.kernel, isa()),
          .transport = settings.transport + (link.empty() ? "" : " with links emulated at " + link),
          .dtype = dtypes_of(points),
          .threads = settings.threads};
      output = std::make_unique<Output>(run_, std::move(header), points, table);
    });
    const Deadline deadline(run_.timeout_s, world);
    PointRunner runner(world, settings, placement);
    for (std::size_t index = 0; index < points.size(); ++index) {
      const std::string id = id_of(index, points[index]);
      const PointFiles files{.trace = file_of(run_.trace, id, points.size() > 1),
                             .dump = run_.dump.empty() || points.size() == 1 ? run_.dump : run_.dump + "/" + id};
      if (output) output->begin(id);
      together(world, [&] {
        if (!files.dump.empty() && points[index].of && job.speaks) prepare_dump(files.dump);
      });
      PointRecord record = runner.run(points[index], id, files, true);
      if (record.status == Status::kFailed && points.size() == 1) throw Error(ExitCode::kPlacement, record.reason);
      together(world, [&] {
        if (output) output->add(std::move(record));
      });
    }
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return output ? output->finish(elapsed) : ExitCode::kOk;
  }

 private:
  /// What cannot be written is said before the run.
  void check_files() const {
    if (!run_.json.empty()) check_writable(run_.json, run_.overwrite);
    if (!run_.json.empty()) check_writable(lines_path(run_.json), run_.overwrite);
    if (!run_.trace.empty()) check_writable(run_.trace, true);
    if (!run_.dump.empty()) prepare_dump(run_.dump);
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
