#include "cli/commands/reported_sweep.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "cli/commands/job_header.hpp"
#include "cli/commands/kept_points.hpp"
#include "cli/commands/sweep_of.hpp"
#include "cli/commands/together.hpp"
#include "cli/commands/watchdog.hpp"
#include "result/file.hpp"
#include "result/json.hpp"
#include "result/progress.hpp"
#include "support/counted.hpp"
#include "validate/dump.hpp"

namespace cpbench {
namespace {

/// A file of one point of several: `trace.json` becomes `trace.3-ring-cp8.json`.
std::string file_of(const std::string& path, const std::string& id, bool several) {
  if (path.empty() || !several) return path;
  const std::filesystem::path whole(path);
  return (whole.parent_path() / (whole.stem().string() + "." + id + whole.extension().string())).string();
}

/// The files that the options ask for.
class RunFiles {
 public:
  RunFiles(const RunOptions& options, const std::vector<SweepPoint>& points) : options_(options), points_(points) {}

  /// What cannot be written is said before the run.
  void check() const {
    if (options_.resume) check_resume();
    std::vector<std::string> files;
    if (!options_.json.empty() && lines_path(options_.json) == options_.json) {
      refuse("--json {}: a file of this name takes the lines of finished points; name the result {}", options_.json,
             std::filesystem::path(options_.json).replace_extension(".json").string());
    }
    if (!options_.json.empty()) files = {options_.json, lines_path(options_.json)};
    for (std::size_t index = 0; index < points_.size() && !options_.trace.empty(); ++index) {
      files.push_back(of(id_of(index, points_[index])).trace);
    }
    std::set<std::filesystem::path> distinct;
    for (const std::string& file : files) {
      check_writable(file, options_.overwrite || options_.resume);
      if (!distinct.insert(std::filesystem::weakly_canonical(file)).second) {
        refuse("\"{}\" would be written twice: results, their lines and traces need files of their own", file);
      }
    }
    if (!options_.dump.empty()) prepare_dump(options_.dump, options_.overwrite);
  }

  PointFiles of(const std::string& id) const {
    const bool several = points_.size() > 1;
    return {.trace = file_of(options_.trace, id, several),
            .dump = options_.dump.empty() || !several ? options_.dump : options_.dump + "/" + id};
  }

  void prepare_dump_of(const std::string& id) const {
    const std::string directory = of(id).dump;
    if (!directory.empty()) prepare_dump(directory, options_.overwrite);
  }

 private:
  void check_resume() const {
    if (options_.json.empty()) refuse("--resume: which result? name it with --json");
    if (options_.overwrite) refuse("--resume keeps what --overwrite replaces: give one of them");
    if (!options_.dump.empty()) refuse("--resume: dumps are not resumed; leave out --dump");
  }

  const RunOptions& options_;
  const std::vector<SweepPoint>& points_;
};

/// Results as they come: the report on stdout, lines in the .jsonl file, and at the end the result file. Rank 0's.
class Output {
 public:
  Output(const RunOptions& options, Header header, Report report, std::size_t points, KeptPoints kept)
      : options_(options),
        report_(std::move(report)),
        progress_(static_cast<int>(points - kept.points.size())),
        points_(points),
        kept_(std::move(kept.points)) {
    file_.header = std::move(header);
    file_.header.resumed = std::move(kept.makers);
    file_.points = std::move(kept.records);
    for (const PointRecord& record : file_.points) print(std::exchange(report_.heading, {}) + report_.row(record));
  }

  /// `record`: what is known of a point before it is run.
  void begin(const PointRecord& record) {
    const std::lock_guard lock(mutex_);
    in_flight_ = record;
    progress_.begin(record.id);
  }
  void begin_report() {
    const std::lock_guard lock(mutex_);
    print(std::exchange(report_.heading, {}));
  }
  void advance(int done, int iterations) {
    const std::lock_guard lock(mutex_);
    progress_.advance(done, iterations);
  }
  void add(PointRecord record) {
    const std::lock_guard lock(mutex_);
    write(std::move(record));
  }
  /// A trace or a dump could not be written: said once, as on a full disk it holds of all that follow.
  void lose(const std::string& why) {
    if (std::exchange(has_lost_, true)) return;
    fmt::print(stderr, "cpbench: {}; the run goes on, and names no further trace or dump that fails\n", why);
  }
  /// kUsage where a trace or a dump is missing.
  ExitCode code_of_side_products() const { return has_lost_ ? ExitCode::kUsage : ExitCode::kOk; }
  /// Called by another thread, when the job is about to be ended: records what was in flight, and says where that was.
  /// Nothing is added any more.
  std::string interrupt(const Interruption& why) {
    // Whoever holds the lock may be writing to a terminal that is held up; that must not hold up the end.
    std::unique_lock lock(mutex_, Watchdog::kPatience);
    if (!lock) return "";
    lock.release();  // it stays locked
    std::string where = place() + "; " + finished_points();
    if (in_flight_) {
      in_flight_->status = why.signal == 0 ? Status::kTimeout : Status::kInterrupted;
      in_flight_->reason = why.reason();
      write(*in_flight_);
    }
    if (!file_.points.empty() && !is_finished_) print(report_.footer(file_.points, points_ - file_.points.size()));
    return where;
  }
  void finish(ExitCode code, double elapsed_s) {
    const std::lock_guard lock(mutex_);
    print(report_.footer(file_.points, 0));
    file_.summary = summary_of(file_.points, static_cast<int>(code), elapsed_s);
    if (!options_.json.empty() && !is_there_already()) write_result();
    is_finished_ = true;
  }

 private:
  /// The points are not lost with it: their lines are written already.
  void write_result() const {
    try {
      Json result = json_of(file_);
      for (std::size_t i = 0; i < kept_.size(); ++i) result["points"][i] = kept_[i];
      write_atomically(options_.json, text_of(result, 2) + "\n", replaces());
    } catch (const Error& error) {
      const std::string points = points_ == 1 ? "its point is" : fmt::format("all {} points are", points_);
      throw Error(error.code(), fmt::format("{}; {} in \"{}\", which report and compare read", error.what(), points,
                                            lines_path(options_.json)));
    }
  }
  bool replaces() const { return options_.overwrite || options_.resume; }
  /// Nothing was left to run of a sweep that had come to its end.
  bool is_there_already() const {
    return lines_ == nullptr && !kept_.empty() && std::filesystem::exists(options_.json);
  }
  std::string place() const {
    const std::size_t done = file_.points.size();
    if (in_flight_) return fmt::format(" in point {} of {} ({})", done + 1, points_, in_flight_->id);
    if (done == 0) return " before the first point";
    return done == points_ ? " after the last point" : fmt::format(" after point {} of {}", done, points_);
  }
  std::string finished_points() const {
    const std::size_t done = file_.points.size();
    if (done == 0) return "no point is finished";
    const std::string points =
        counted(static_cast<std::int64_t>(done), "finished point") + (done == 1 ? " is" : " are");
    if (options_.json.empty()) return points + " printed above";
    return fmt::format("{} in \"{}\"", points, is_finished_ ? options_.json : lines_path(options_.json));
  }
  void write(PointRecord record) {
    in_flight_.reset();
    progress_.finish();
    print(std::exchange(report_.heading, {}) + report_.row(record));
    if (!options_.json.empty()) append(record);
    file_.points.push_back(std::move(record));
  }
  /// The file begins with its first point: a run that is refused before leaves older results as they are. From then on
  /// no older result may lie beside it, which would pass for this run's if that were killed.
  void append(const PointRecord& record) {
    const bool begins = lines_ == nullptr;
    if (begins) begin_lines();
    lines_->append(text_of(json_of(record)));
    if (begins && replaces()) remove_file(options_.json);  // last: where it fails, the record is there
  }
  void begin_lines() {
    std::vector<std::string> lines = {text_of(json_of(file_.header))};
    for (const Json& point : kept_) lines.push_back(text_of(point));
    lines_ = std::make_unique<LineWriter>(lines_path(options_.json), replaces(), lines);
  }
  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const RunOptions& options_;
  ResultFile file_;
  Report report_;  ///< its heading until it is printed
  Progress progress_;
  std::size_t points_;      ///< of the sweep
  std::vector<Json> kept_;  ///< the first ones of the file
  bool has_lost_ = false, is_finished_ = false;
  std::unique_ptr<LineWriter> lines_;
  std::timed_mutex mutex_;
  std::optional<PointRecord> in_flight_;
};

/// Collective: of --resume; complete on rank 0, while the others know which points are kept.
KeptPoints points_kept(const Job& job, const RunOptions& run, const Execution& execution,
                       const std::vector<SweepPoint>& points, const Header& header, bool measured) {
  KeptPoints kept;
  if (!run.resume) return kept;
  std::string known(points.size(), '-');
  together(*job.world, [&] {
    if (!job.speaks) return;
    std::vector<PointRecord> sweep;
    for (std::size_t index = 0; index < points.size(); ++index) {
      sweep.push_back(record_of(points[index], id_of(index, points[index]), execution.settings, job.world->size()));
    }
    kept = kept_points(run.json, sweep, header, measured);
    for (const std::size_t index : kept.indices) known[index] = '+';
  });
  known = job.world->broadcast(known);
  for (std::size_t index = 0; index < known.size(); ++index) {
    if (known[index] == '+') kept.indices.insert(index);
  }
  for (const std::string& note : kept.notes) warn(job, note);
  return kept;
}

/// `output` is rank 0's, and null elsewhere.
PointVisitor visitor_of(const RunFiles& files, bool measured, std::set<std::size_t> kept, Output* output) {
  if (output == nullptr) {
    return {.measured = measured,
            .begin = [&files](const PointRecord& record) { return files.of(record.id); },
            .end = [](const PointRecord&) {},
            .kept = std::move(kept)};
  }
  return {.measured = measured,
          .begin =
              [&files, output](const PointRecord& record) {
                output->begin(record);
                PointFiles of_point = files.of(record.id);
                if (record.status == Status::kSkipped) return of_point;
                try {
                  files.prepare_dump_of(record.id);
                } catch (const Error& error) {
                  output->lose(error.what());
                  of_point.dump.clear();
                }
                return of_point;
              },
          .end = [output](PointRecord record) { output->add(std::move(record)); },
          .progress = {.fits = [output] { output->begin_report(); },
                       .iterated = [output](int done, int iterations) { output->advance(done, iterations); },
                       .lost = [output](const std::string& why) { output->lose(why); }},
          .kept = std::move(kept)};
}

}  // namespace

ExitCode run_and_report(const Job& job, const RunOptions& run, const SweepOptions& sweep, const AxisFlags& flags,
                        bool measured, const MakeReport& make_report) {
  const auto start = std::chrono::steady_clock::now();
  const Communicator& world = *job.world;
  const Execution execution = execution_of(world, run, sweep);
  const ResolvedSweep resolved = points_of(world, execution, sweep, flags);
  const std::vector<SweepPoint>& points = resolved.points;
  const RunFiles files(run, points);
  together(world, [&] {
    if (job.speaks) files.check();
  });
  for (const std::string& note : notes_on_points(flags.values(), points)) warn(job, note);
  if (measured) warn(job, thread_warning(world, execution.placement, execution.settings.threads));

  Header header = header_of(job, execution.placement, execution.settings.device, resolved.config);
  KeptPoints kept = points_kept(job, run, execution, points, header, measured);
  ExitCode code = ExitCode::kOk;
  for (const PointRecord& record : kept.records) code = graver(code, code_of(record.status));
  const std::set<std::size_t> indices = kept.indices;
  std::unique_ptr<Output> output;
  together(world, [&] {
    if (!job.speaks) return;
    Report report = make_report(header, execution, points);
    output = std::make_unique<Output>(run, std::move(header), std::move(report), points.size(), std::move(kept));
  });
  const Watch watch(*job.watchdog, run.timeout_s,
                    [&](const Interruption& why) { return output ? output->interrupt(why) : ""; });
  code = graver(code, run_points(world, execution, points, visitor_of(files, measured, indices, output.get())));
  if (output) code = graver(code, output->code_of_side_products());
  const double elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (output) output->finish(code, elapsed_s);
  return code;
}

}  // namespace cpbench
