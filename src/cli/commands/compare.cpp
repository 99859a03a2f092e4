// `cpbench compare BASE HEAD`: which points became slower. Runs nothing.
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/commands/subcommand.hpp"
#include "cli/config/cli11.hpp"
#include "cli/config/options.hpp"
#include "compare/report.hpp"
#include "result/file.hpp"
#include "support/error.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

class CompareCommand : public Subcommand {
 public:
  explicit CompareCommand(CLI::App& parent) {
    app = parent.add_subcommand("compare", "Which points became slower from BASE to HEAD; runs nothing");
    add_text(*app, "BASE", base_, "RESULTS",
             "result files of `run`, or records of `doctor`, one per launch: a comma list, or a directory of them");
    add_text(*app, "HEAD", head_, "RESULTS", "the same, of what is compared with BASE");
    add_positive(*app, "--threshold", threshold_, "PERCENT", "slower by more than this fails [5]");
    add_positive(*app, "--confidence", confidence_, "PERCENT", "confidence of the intervals [95]");
    add_text(*app, "--ignore", ignored_, "AXES", "comma list of axes of `case` that need not be the same");
    app->add_flag("--paired", paired_, "launches of BASE and HEAD were made in turn: compare the two of each pair");
    app->add_flag("--strict", strict_,
                  "exit with 6 where no point is slower but some are unclear, unjudged or not reached");
    add_text(*app, "-J,--json", json_, "FILE", "the comparison; never overwritten silently");
    app->add_flag("--overwrite", overwrite_, "replace an existing file");
  }

  ExitCode execute(const Job&) override {
    if (base_.empty() || head_.empty()) refuse("compare needs two sets of results: cpbench compare BASE HEAD");
    const CompareOptions options = this->options();
    if (!json_.empty()) check_writable(json_, overwrite_);
    const std::vector<Launch> base = read_launches(base_, LaunchOf::kDoctor),
                              head = read_launches(head_, LaunchOf::kDoctor);
    refuse_to_overwrite(base);
    refuse_to_overwrite(head);
    const Comparison comparison = compare(base, head, options);
    if (!json_.empty())
      write_atomically(json_, text_of(json_of(comparison, base, head, strict_), 2) + "\n", overwrite_);
    std::fputs(table_of(comparison, base, head).c_str(), stdout);
    return comparison.exit_code(strict_);
  }

 private:
  // Fractions are what one is tempted to give; they would be thresholds of nothing and intervals without confidence.
  CompareOptions options() const {
    CompareOptions options;
    if (threshold_) options.threshold = *threshold_ / 100;
    if (options.threshold < 0.001) refuse("--threshold {} is in percent: at least 0.1", *threshold_);
    if (confidence_) options.confidence = *confidence_ / 100;
    if (options.confidence < 0.5 || options.confidence >= 1) {
      refuse("--confidence {} is in percent: at least 50, and less than 100", *confidence_);
    }
    if (!ignored_.empty()) options.ignored = axis_list(ignored_);
    options.paired = paired_;
    return options;
  }

  void refuse_to_overwrite(const std::vector<Launch>& launches) const {
    for (const Launch& launch : launches) {
      std::error_code no_such_file;
      if (!json_.empty() && std::filesystem::equivalent(json_, launch.path, no_such_file)) {
        refuse("--json {}: that is one of the files that are compared", json_);
      }
    }
  }

  std::string base_, head_, ignored_, json_;
  std::optional<double> threshold_, confidence_;
  bool paired_ = false, strict_ = false, overwrite_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_compare_command(CLI::App& app) { return std::make_unique<CompareCommand>(app); }

}  // namespace cpbench
