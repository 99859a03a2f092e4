// `cpbench report FILE...`: what result files say: their table, one figure by axes, or the best. Runs nothing.
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "cli/commands/point_table.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/config/cli11.hpp"
#include "cli/config/options.hpp"
#include "report/best.hpp"
#include "report/figure.hpp"
#include "report/pivot.hpp"
#include "report/points.hpp"
#include "report/sheet.hpp"
#include "result/json.hpp"
#include "result/launch.hpp"
#include "result/origin.hpp"
#include "result/table.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

/// Points that were kept are of other jobs, of the same program on the same devices.
std::string resumed_text(const Header& header) {
  if (header.resumed.empty()) return {};
  std::size_t points = 0;
  for (const Json& earlier : header.resumed) points += earlier.at("points").size();
  return fmt::format(", {} of its points from {}", points, counted(std::ssize(header.resumed), "earlier job"));
}

/// `out.json: cpbench 0.1.0 (git 1a2b3c), 4 ranks on node1, 4 x AMD EPYC, Open MPI v4.1.4, 2026-11-30T12:00:00Z`
std::string provenance_of(const Launch& launch) {
  const Origin origin = origin_of(launch.header);
  if (launch.of == LaunchOf::kPlan)
    return fmt::format("{}: plan of cpbench {}, {}", launch.path, origin.tool, launch.started());
  return fmt::format("{}: cpbench {}, {} on {}, {}, {}, {}{}{}", launch.path, origin.tool,
                     counted(std::ssize(launch.header.ranks), "rank"), origin.hosts, origin.devices,
                     origin.mpi.empty() ? "MPI not known" : origin.mpi, launch.started(), resumed_text(launch.header),
                     launch.finished ? "" : ", did not finish");
}

/// Of every point all axes and figures.
Sheet complete_sheet(const std::vector<PointRecord>& points) {
  Json axes = Json::object();
  for (const PointRecord& point : points) axes.update(point.axes);
  Sheet sheet{.columns = {{"id", "", false}, {"status", "", false}, {"reason", "", false}}, .rows = {}, .notes = {}};
  for (const auto& item : axes.items()) sheet.columns.push_back({item.key(), "", false});
  for (const Figure& figure : all_figures()) sheet.columns.push_back({std::string(figure.name), "", true});
  for (const PointRecord& point : points) {
    std::vector<Cell>& row = sheet.rows.emplace_back();
    for (const std::string& text : {point.id, std::string(name_of(point.status)), point.reason}) {
      row.push_back(cell_of(text));
    }
    for (const auto& item : axes.items()) row.push_back(cell_of(point.axes, item.key()));
    for (const Figure& figure : all_figures()) row.push_back(cell_of(figure.of(point)));
  }
  return sheet;
}

/// `lines` as comments of a table, or as a list in Markdown.
std::string lines_text(const std::vector<std::string>& lines, Format format) {
  std::string text;
  for (const std::string& line : lines) text += (format == Format::kMarkdown ? "- " : "# ") + line + "\n";
  return text;
}

class ReportCommand : public Subcommand {
 public:
  explicit ReportCommand(CLI::App& parent) {
    app = parent.add_subcommand("report",
                                "What result files or plans say: a table, a figure by axes, or the best; runs nothing");
    add_texts(*app, "FILE", files_, "RESULTS", "result files of `run`, directories of them, or files of `plan`")
        ->expected(-1);
    add_text(*app, "--rows", rows_, "AXES", "a row for each combination of these axes, a comma list");
    add_text(*app, "--columns", columns_, "AXIS", "a column for each value of this axis");
    add_text(*app, "--value", value_, "FIGURE", "what is in their cells: " + figure_names());
    add_text(*app, "--best", best_, "AXES", "the fastest configuration for each combination of these axes");
    add_texts(*app, "--where", where_, "AXIS=VALUES", "only points that have one of the values; may be repeated");
    add_text(*app, "--format", format_, "FORMAT", "text, markdown or csv [text]");
  }

  ExitCode execute(const Job& job) override {
    const Format format = parse_format(format_);
    check_flags();
    const std::vector<Launch> launches = read_launches(fmt::format("{}", fmt::join(files_, ",")), LaunchOf::kPlan);
    const std::vector<PointRecord> points = selected(points_of(launches), where_);
    if (format == Format::kCsv) {
      print_csv(job, points);
    } else {
      print(format, launches, points);
    }
    const bool any_wrong = std::ranges::count(points, Status::kInvalid, &PointRecord::status) > 0;
    return any_wrong ? ExitCode::kInvalid : ExitCode::kOk;
  }

 private:
  static std::string figure_names() {
    std::vector<std::string_view> names;
    for (const Figure& figure : all_figures()) names.push_back(figure.name);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  bool is_pivot() const { return !rows_.empty() || !columns_.empty() || !value_.empty(); }
  bool is_table() const { return !is_pivot() && best_.empty(); }

  /// What is wrong with them alone is said before files are read.
  void check_flags() const {
    if (files_.empty()) refuse("report needs result files: cpbench report FILE...");
    if (!is_pivot()) return;
    if (!best_.empty()) refuse("--best and --rows, --columns, --value are two reports: ask for one at a time");
    for (const auto& [flag, value] : {std::pair("--rows", rows_), {"--columns", columns_}, {"--value", value_}}) {
      if (value.empty()) refuse("{} is missing: --rows AXES --columns AXIS --value FIGURE belong together", flag);
    }
    if (columns_.find(',') != std::string::npos) refuse("--columns {}: one axis; add the others to --rows", columns_);
    find_figure(value_);
  }

  /// A pivot or the best.
  Sheet answer_of(const std::vector<PointRecord>& points) const {
    if (!best_.empty()) return best_of(points, axis_list(best_));
    return pivot_of(points, {.rows = axis_list(rows_), .columns = axis_list(columns_).front()}, find_figure(value_));
  }

  /// A program reads it: what is no cell goes elsewhere.
  void print_csv(const Job& job, const std::vector<PointRecord>& points) const {
    const Sheet sheet = is_table() ? complete_sheet(points) : answer_of(points);
    std::fputs(text_of(sheet, Format::kCsv).c_str(), stdout);
    for (const std::string& note : sheet.notes) warn(job, note);
    if (is_table()) return;  // it has them in its rows
    for (const std::string& note : caveats_of(points)) warn(job, note);
  }

  void print(Format format, const std::vector<Launch>& launches, const std::vector<PointRecord>& points) const {
    std::vector<std::string> above, below;
    for (const Launch& launch : launches) above.push_back(provenance_of(launch));
    std::string body;
    if (is_table() && format == Format::kText) {
      body = text_of_points(points);
    } else {
      const Sheet sheet = is_table() ? sheet_of_points(points) : answer_of(points);
      above.push_back("case: " + text_of_axes(shared_axes(points)));
      if (is_pivot()) above.push_back(fmt::format("{} in {}", value_, find_figure(value_).unit));
      body = (format == Format::kMarkdown ? "\n" : "#\n") + text_of(sheet, format);
      below = sheet.notes;
      const std::vector<std::string> caveats = caveats_of(points);
      below.insert(below.end(), caveats.begin(), caveats.end());
    }
    const std::vector<std::string> verdict = Table::verdict(points);
    below.insert(below.end(), verdict.begin(), verdict.end());
    const std::string rule = format == Format::kMarkdown ? "\n" : "#\n";
    std::fputs((lines_text(above, format) + body + rule + lines_text(below, format)).c_str(), stdout);
  }

  std::vector<std::string> files_, where_;
  std::string rows_, columns_, value_, best_, format_ = "text";
};

}  // namespace

std::unique_ptr<Subcommand> make_report_command(CLI::App& app) { return std::make_unique<ReportCommand>(app); }

}  // namespace cpbench
