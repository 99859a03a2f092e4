// A launch line taken apart into foreign flags and the rest, and the native line that is made of it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/axes/axis.hpp"
#include "cli/foreign/foreign_flag.hpp"

namespace cpbench {

/// The foreign flags of a line, the last value of each as argparse has it. A flag is read by asking for its value, a
/// switch by asking whether it is on; `has` and `first_of` read nothing.
class GivenFlags {
 public:
  /// Moves the foreign flags and their values out of `arguments`; what is not known stays. Throws a usage error for a
  /// missing or superfluous value and for flags that are refused.
  explicit GivenFlags(std::vector<std::string>& arguments);

  bool has(std::string_view flag) const { return values_.contains(flag); }
  /// The first of `flags` that was given, or an empty text.
  std::string_view first_of(std::initializer_list<std::string_view> flags) const;
  /// The first flag of that meaning, or an empty text.
  std::string_view first_of(ForeignMeaning meaning) const;
  std::vector<std::string> names_of(ForeignMeaning meaning) const;
  /// The flags that nobody has read: they had no effect.
  std::vector<std::string> unread() const;

  bool is_on(std::string_view toggle) const;
  const std::vector<std::string>& values(std::string_view flag) const;
  const std::string& value(std::string_view flag) const { return values(flag).front(); }
  /// The value as a whole number >= 1, or `otherwise` where the flag was not given.
  std::int64_t integer_or(std::string_view flag, std::int64_t otherwise) const;

 private:
  std::map<std::string_view, std::vector<std::string>> values_;  // by name in foreign_flags()
  mutable std::set<std::string_view> read_;
};

/// Moves flags out of the line that are not `known`, with the words that follow them, and returns their names. Throws a
/// usage error for one that is a slip for a known one.
std::vector<std::string> take_unknown_flags(std::vector<std::string>& arguments, const std::vector<std::string>& known);

/// The native line: what was native already, plus what the foreign flags mean.
class NativeLine {
 public:
  explicit NativeLine(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}

  /// Sets an axis because `foreign_flag` says so. Refused if the line names the axis itself.
  void set(Axis axis, const std::string& value, std::string_view foreign_flag);
  /// Sets an axis to the foreign flag's value as it is; does nothing if that flag was not given.
  void pass(Axis axis, const GivenFlags& given, std::string_view foreign_flag);
  /// Sets an axis to the default of the other program unless something else has set it.
  void fall_back(Axis axis, const std::string& value);
  /// Whether the line names the axis by its native flag.
  bool names(Axis axis) const { return names(arguments_, info_of(axis).flag()); }
  /// What the line says of an axis of whole numbers, by `foreign_flag` or natively, else `otherwise`: from which more
  /// follows. Refused for a native sweep.
  std::int64_t integer_of(Axis axis, const GivenFlags& given, std::string_view foreign_flag,
                          std::int64_t otherwise) const;
  void note(std::string text) { notes_.push_back(std::move(text)); }

  const std::vector<std::string>& arguments() const { return arguments_; }
  const std::vector<std::string>& translated() const { return translated_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void translate_to(Axis axis, const std::string& value);
  static bool names(const std::vector<std::string>& line, const std::string& flag);

  std::vector<std::string> arguments_, translated_, notes_;
};

}  // namespace cpbench
