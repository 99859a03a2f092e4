#include "cli/foreign/line.hpp"

#include <algorithm>
#include <limits>

#include "cli/axes/axis_value.hpp"
#include "support/error.hpp"
#include "support/nearest.hpp"
#include "support/number.hpp"

namespace cpbench {
namespace {

bool looks_like_flag(std::string_view word) {
  return word.starts_with("--") ||
         (word.size() > 1 && word[0] == '-' && std::isalpha(static_cast<unsigned char>(word[1])));
}

// The values of the flag at `position`, which moves behind them.
std::vector<std::string> take_values(const ForeignFlag& flag, const std::vector<std::string>& words,
                                     std::size_t& position) {
  const std::string& word = words[position++];
  std::vector<std::string> values;
  if (const auto equals = word.find('='); equals != std::string::npos) {
    if (flag.arity == Arity::kSwitch) refuse("{} takes no value, but has \"{}\"", flag.name, word.substr(equals + 1));
    values.push_back(word.substr(equals + 1));
    return values;
  }
  if (flag.arity == Arity::kSwitch) return values;
  do {
    if (position == words.size() || looks_like_flag(words[position])) refuse("{} needs a value", flag.name);
    values.push_back(words[position++]);
  } while (flag.arity == Arity::kMany && position < words.size() && !looks_like_flag(words[position]));
  return values;
}

/// What follows a flag, or its `=`, wherever the line has it.
std::vector<std::string> values_of(const std::vector<std::string>& line, const std::string& flag) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i].starts_with(flag + "=")) values.push_back(line[i].substr(flag.size() + 1));
    if (line[i] == flag) values.push_back(i + 1 < line.size() ? line[i + 1] : "");
  }
  return values;
}

void check_refused(const ForeignFlag& flag, const std::vector<std::string>& values) {
  if (flag.meaning != ForeignMeaning::kRefused) return;
  if (flag.refused_value.empty()) refuse("{}: {}", flag.name, flag.reason);
  if (values.front() == flag.refused_value) refuse("{} {}: {}", flag.name, flag.refused_value, flag.reason);
}

/// Megatron has --save and --mscale, which are no slips for --scale.
void refuse_slip(const std::string& flag, const std::vector<std::string>& known) {
  constexpr std::size_t kShort = 8, kFirstLetter = 2;
  const std::string meant = nearest(flag, known, flag.size() <= kShort ? 1 : 2);
  if (flag.size() > kFirstLetter && meant.size() > kFirstLetter && flag[kFirstLetter] == meant[kFirstLetter]) {
    refuse("unknown flag {}; did you mean {}?", flag, meant);
  }
}

}  // namespace

GivenFlags::GivenFlags(std::vector<std::string>& arguments) {
  std::vector<std::string> rest;
  for (std::size_t position = 0; position < arguments.size();) {
    const std::string& word = arguments[position];
    const ForeignFlag* flag = find_foreign_flag(std::string_view(word).substr(0, word.find('=')));
    if (flag == nullptr) {
      rest.push_back(word);
      ++position;
      continue;
    }
    auto values = take_values(*flag, arguments, position);
    check_refused(*flag, values);
    values_[flag->name] = std::move(values);
  }
  arguments = std::move(rest);
}

std::vector<std::string> take_unknown_flags(std::vector<std::string>& arguments,
                                            const std::vector<std::string>& known) {
  std::vector<std::string> unknown, rest;
  bool follows_unknown = false;
  for (const std::string& word : arguments) {
    if (looks_like_flag(word)) {
      const std::string flag = word.substr(0, word.find('='));
      follows_unknown = std::ranges::find(known, flag) == known.end();
      if (follows_unknown) unknown.push_back(flag);
    }
    if (!follows_unknown) rest.push_back(word);
  }
  arguments = std::move(rest);
  for (const std::string& flag : unknown) refuse_slip(flag, known);
  return unknown;
}

std::string_view GivenFlags::first_of(std::initializer_list<std::string_view> flags) const {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](std::string_view flag) { return has(flag); });
  return found == flags.end() ? std::string_view() : *found;
}

std::string_view GivenFlags::first_of(ForeignMeaning meaning) const {
  for (const ForeignFlag& flag : foreign_flags()) {
    if (flag.meaning == meaning && has(flag.name)) return flag.name;
  }
  return {};
}

std::vector<std::string> GivenFlags::names_of(ForeignMeaning meaning) const {
  std::vector<std::string> names;
  for (const auto& [name, values] : values_) {
    if (find_foreign_flag(name)->meaning == meaning) names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> GivenFlags::unread() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : values_) {
    if (!read_.contains(name)) names.emplace_back(name);
  }
  return names;
}

bool GivenFlags::is_on(std::string_view toggle) const {
  read_.insert(toggle);
  return has(toggle);
}

const std::vector<std::string>& GivenFlags::values(std::string_view flag) const {
  read_.insert(flag);
  return values_.find(flag)->second;
}

std::int64_t GivenFlags::integer_or(std::string_view flag, std::int64_t otherwise) const {
  return has(flag) ? parse_integer(flag, value(flag), 1, std::numeric_limits<std::int64_t>::max()) : otherwise;
}

std::int64_t NativeLine::integer_of(Axis axis, const GivenFlags& given, std::string_view foreign_flag,
                                    std::int64_t otherwise) const {
  const std::string flag = info_of(axis).flag();
  if (given.has(foreign_flag) || !names(axis)) return given.integer_or(foreign_flag, otherwise);
  const std::vector<std::string> values = values_of(arguments_, flag);
  if (values.size() != 1 || values.front().find(',') != std::string::npos) {
    refuse("{}: beside flags of another program it takes one value, from which others follow there", flag);
  }
  return parse_integer(flag, values.front(), 1, std::numeric_limits<std::int64_t>::max());
}

bool NativeLine::names(const std::vector<std::string>& line, const std::string& flag) {
  return std::any_of(line.begin(), line.end(),
                     [&](const std::string& word) { return word == flag || word.starts_with(flag + "="); });
}

void NativeLine::set(Axis axis, const std::string& value, std::string_view foreign_flag) {
  const std::string flag = info_of(axis).flag();
  if (names(arguments_, flag)) refuse("{} and {} say the same thing: give one of them", foreign_flag, flag);
  value_from_text(info_of(axis), value, foreign_flag);  // an error names the flag that the user wrote
  translate_to(axis, value);
}

void NativeLine::translate_to(Axis axis, const std::string& value) {
  const AxisInfo& info = info_of(axis);
  if (info.kind == AxisKind::kFlag) {  // takes no word behind it
    translated_.push_back(info.flag() + "=" + value);
  } else {
    translated_.insert(translated_.end(), {info.flag(), value});
  }
}

void NativeLine::pass(Axis axis, const GivenFlags& given, std::string_view foreign_flag) {
  if (given.has(foreign_flag)) set(axis, given.value(foreign_flag), foreign_flag);
}

void NativeLine::fall_back(Axis axis, const std::string& value) {
  const std::string flag = info_of(axis).flag();
  if (!names(arguments_, flag) && !names(translated_, flag)) translate_to(axis, value);
}

}  // namespace cpbench
