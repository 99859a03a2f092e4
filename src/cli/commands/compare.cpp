// `cpbench compare BASE HEAD`: which points became slower. Runs nothing.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "cli/commands/subcommand.hpp"
#include "cli/config/cli11.hpp"
#include "cli/config/options.hpp"
#include "compare/report.hpp"
#include "result/file.hpp"
#include "support/comma_list.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// `dtype,isa`, and with hyphens as in flags.
std::vector<std::string> axes_of(std::string_view list) {
  std::vector<std::string> names;
  for (const std::string_view part : parts_of(list)) {
    std::ranges::replace(names.emplace_back(part), '-', '_');
  }
  return names;
}

class CompareCommand : public Subcommand {
 public:
  explicit CompareCommand(CLI::App& parent) {
    app = parent.add_subcommand("compare", "Which points became slower from BASE to HEAD; runs nothing");
    add_text(*app, "BASE", base_, "RESULTS",
             "result files of `run`, one per launch, in a comma list, or a directory of them");
    add_text(*app, "HEAD", head_, "RESULTS", "the same of what is compared with them");
    add_positive(*app, "--threshold", threshold_, "PERCENT", "slower by more fails [5]");
    add_positive(*app, "--confidence", confidence_, "PERCENT", "of the intervals [95]");
    add_text(*app, "--ignore", ignored_, "AXES", "comma list of axes of `case` that need not be the same");
    app->add_flag("--paired", paired_, "The n-th launches of both were made in turn: compare the two of each pair");
    app->add_flag("--strict", strict_, "Fail with exit code 6 where no point is slower but some are unclear");
    add_text(*app, "-J,--json", json_, "FILE", "the comparison; never overwritten silently");
    app->add_flag("--overwrite", overwrite_, "replace an existing file");
  }

  ExitCode execute(const Job& job) override {
    if (base_.empty() || head_.empty()) refuse("compare needs two sets of results: cpbench compare BASE HEAD");
    const CompareOptions options = this->options();
    if (!json_.empty()) check_writable(json_, overwrite_);
    const std::vector<Launch> base = read_launches(base_), head = read_launches(head_);
    const Comparison comparison = compare(base, head, options);
    if (!job.speaks) return comparison.exit_code(strict_);
    std::fputs(table_of(comparison, base, head).c_str(), stdout);
    if (!json_.empty())
      write_atomically(json_, text_of(json_of(comparison, base, head, strict_), 2) + "\n", overwrite_);
    return comparison.exit_code(strict_);
  }

 private:
  CompareOptions options() const {
    CompareOptions options;
    if (threshold_) options.threshold = *threshold_ / 100;
    if (confidence_) options.confidence = *confidence_ / 100;
    if (options.confidence >= 1) refuse("--confidence {}: an interval holds less than 100%", *confidence_);
    if (!ignored_.empty()) options.ignored = axes_of(ignored_);
    options.paired = paired_;
    return options;
  }

  std::string base_, head_, ignored_, json_;
  std::optional<double> threshold_, confidence_;
  bool paired_ = false, strict_ = false, overwrite_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_compare_command(CLI::App& app) { return std::make_unique<CompareCommand>(app); }

}  // namespace cpbench
