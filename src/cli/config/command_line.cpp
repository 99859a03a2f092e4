#include "cli/config/command_line.hpp"

#include <algorithm>
#include <array>

#include "cli/config/cli11.hpp"
#include "support/error.hpp"
#include "support/names.hpp"
#include "support/nearest.hpp"

namespace cpbench {
namespace {

CLI::Option* add_axis(CLI::App& command, const AxisInfo& axis) {
  const bool bare = axis.kind == AxisKind::kFlag;
  const std::string help = bare ? fmt::format("{} [{}]", axis.meaning, axis.fallback)
                                : fmt::format("{} ({}) [{}]", axis.meaning, axis.values, axis.fallback);
  // The texts are read by values(), which knows their kinds.
  CLI::Option* option = bare ? command.add_flag(axis.flag(), help)
                             : command.add_option(
                                   axis.flag(), [](const CLI::results_t&) { return true; }, help);
  if (!bare) option->type_name("VALUES");
  option->group("Axes (comma lists sweep)")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return option;
}

// The innermost command that was chosen.
const CLI::App& chosen_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : chosen_command(*commands.front());
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  return flags;
}

// Null for other words: CLI11 finds options by the names of arguments and of environment variables as well.
const CLI::Option* option_of(const CLI::App& command, const std::string& word) {
  return word.starts_with('-') ? command.get_option_no_throw(word) : nullptr;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// CLI11 hides options of an empty group from its help.
bool has_effect(const CLI::Option& option) { return !option.get_group().empty(); }

// The commands that a flag means something to.
std::vector<std::string> owners_of(const CLI::App& app, const std::string& flag) {
  std::vector<std::string> owners;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const CLI::Option* option = option_of(*command, flag);
    if (option != nullptr && has_effect(*option)) owners.push_back(command->get_name());
  }
  return owners;
}

// `run`, `run and plan`, `run, validate and plan`
std::string list_of(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

[[noreturn]] void refuse_flag(const CLI::App& app, const std::string& flag,
                              const std::vector<std::string>& also_known) {
  const CLI::App& chosen = chosen_command(app);
  const std::vector<std::string> owners = owners_of(app, flag);
  if (contains(owners, chosen.get_name())) refuse("{} must come after the command {}", flag, chosen.get_name());
  if (!owners.empty()) {
    refuse("{} belongs to {}, not to {}", flag, list_of(owners), chosen.get_name());
  }
  std::vector<std::string> known = flags_of(chosen);
  known.insert(known.end(), also_known.begin(), also_known.end());
  const std::string closest = nearest(flag, known);
  refuse("unknown flag {}{} (--help lists all)", flag,
         closest.empty() ? "" : fmt::format("; did you mean {}?", closest));
}

// A value behind a flag that takes none.
void refuse_value_of_bare_flag(const CLI::App& app, const std::string& extra,
                               const std::vector<std::string>& arguments) {
  const auto value = std::adjacent_find(arguments.begin(), arguments.end(), [&](const auto& flag, const auto& next) {
    const CLI::Option* option = next == extra ? option_of(chosen_command(app), flag) : nullptr;
    return option != nullptr && option->get_items_expected_max() == 0;
  });
  if (value == arguments.end()) return;
  refuse("{} takes no value, but \"{}\" follows it: the bare flag is on, and {}=off is off", *value, extra, *value);
}

// The axis that a flag sets; null for other flags.
const AxisInfo* axis_of(const std::string& flag) {
  const auto axis = std::ranges::find(all_axes(), flag, &AxisInfo::flag);
  return axis == all_axes().end() ? nullptr : &*axis;
}

// What an option expects, in the words of its help.
std::string expected_by(const CLI::Option& option) {
  if (const AxisInfo* axis = axis_of(option.get_name())) return axis->values;
  return fmt::format("{} ({})", option.get_type_name(), option.get_description());
}

// CLI11 has no word on what the value would be, or takes the next flag for it.
void refuse_missing_values(const CLI::App& command, const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const CLI::Option* option = option_of(command, arguments[i]);
    if (option == nullptr || option->get_items_expected_min() == 0) continue;
    const bool is_missing = i + 1 == arguments.size() || option_of(command, arguments[i + 1]) != nullptr;
    if (is_missing) refuse("{}: the value is missing; expected: {}", arguments[i], expected_by(*option));
  }
}

// CLI11 takes numbers too, and any other text for a flag that it cannot convert. Those that are axes read their own.
void refuse_values_of_bare_flags(const CLI::App& command, const std::vector<std::string>& arguments) {
  constexpr std::array<std::string_view, 4> kValues = {"on", "off", "true", "false"};
  for (const std::string& word : arguments) {
    const std::size_t end = word.find('=');
    if (end == std::string::npos) continue;
    const std::string flag = word.substr(0, end), value = word.substr(end + 1);
    const CLI::Option* option = option_of(command, flag);
    if (option == nullptr || option->get_items_expected_max() > 0 || axis_of(flag) != nullptr) continue;
    if (std::ranges::count(kValues, value) == 0) {
      refuse("{}: \"{}\" is neither on nor off; the bare flag is on", flag, value);
    }
  }
}

[[noreturn]] void refuse_extra(const CLI::App& app, const std::string& extra, const std::vector<std::string>& arguments,
                               const std::vector<std::string>& also_known) {
  if (extra.starts_with('-')) refuse_flag(app, extra.substr(0, extra.find('=')), also_known);
  refuse_value_of_bare_flag(app, extra, arguments);
  refuse("unexpected argument \"{}\"", extra);
}

// Also where --help follows, which would otherwise show the help of the whole program.
void refuse_unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return;
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  if (!contains(commands, arguments.front())) refuse_unknown("command", arguments.front(), commands);
}

// CLI11 would take the next flag for the value of `--json=`; and a flag that was given an empty text is not one that
// was not given, as an unset variable of a script would have it.
void refuse_empty_values(const std::vector<std::string>& arguments) {
  std::string_view before;
  for (const std::string& word : arguments) {
    if (word.empty() && before.starts_with('-')) refuse("{}: the value is empty", before);
    if (word.starts_with("--") && word.ends_with('='))
      refuse("{}: the value is empty", word.substr(0, word.size() - 1));
    before = word;
  }
}

void accept_extras(CLI::App& app) {
  app.allow_extras();
  for (CLI::App* inner : app.get_subcommands([](CLI::App*) { return true; })) accept_extras(*inner);
}

}  // namespace

AxisFlags::AxisFlags(CLI::App& command) {
  for (const AxisInfo& axis : all_axes()) options_[static_cast<std::size_t>(axis.axis)] = add_axis(command, axis);
}

AxisValues AxisFlags::values() const {
  AxisValues values;
  for (const AxisInfo& axis : all_axes()) {
    for (const std::string& text : options_[static_cast<std::size_t>(axis.axis)]->results()) {
      const auto more = values_from_text(axis, text, axis.flag());
      values[axis.axis].insert(values[axis.axis].end(), more.begin(), more.end());
    }
  }
  return values;
}

std::vector<std::string> all_flags(const CLI::App& app) {
  std::vector<std::string> flags = flags_of(app);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::vector<std::string> more = flags_of(*command);
    flags.insert(flags.end(), more.begin(), more.end());
  }
  return flags;
}

std::optional<std::string> parse_command_line(CLI::App& app, const std::vector<std::string>& arguments,
                                              const std::vector<std::string>& also_known) {
  refuse_empty_values(arguments);
  refuse_unknown_command(app, arguments);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (arguments.empty() || command->get_name() != arguments.front()) continue;
    refuse_missing_values(*command, arguments);
    refuse_values_of_bare_flags(*command, arguments);
  }
  accept_extras(app);  // they are refused below, with the nearest known flag
  std::string complaint;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 wants them reversed
  } catch (const CLI::CallForHelp&) {
    return app.help();
  } catch (const CLI::CallForAllHelp&) {
    return app.help("", CLI::AppFormatMode::All);
  } catch (const CLI::CallForVersion& version) {
    return fmt::format("{}\n", version.what());
  } catch (const CLI::ParseError& error) {
    complaint = error.what();
  }
  const auto extras = app.remaining(/*recurse=*/true);
  if (!extras.empty()) refuse_extra(app, extras.front(), arguments, also_known);
  if (!complaint.empty()) refuse("{}", complaint);
  return std::nullopt;
}

std::string note_on_flags_without_effect(const CLI::App& app) {
  const CLI::App& command = chosen_command(app);
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0 && !has_effect(*option)) flags.push_back("--" + option->get_lnames().front());
  }
  if (flags.empty()) return {};
  return fmt::format("no effect on {}: {}", command.get_name(), fmt::join(flags, " "));
}

}  // namespace cpbench
