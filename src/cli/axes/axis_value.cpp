#include "cli/axes/axis_value.hpp"

#include <algorithm>
#include <string>

#include "cli/axes/legal.hpp"
#include "problem/documents.hpp"
#include "support/config_path.hpp"
#include "support/error.hpp"
#include "support/names.hpp"
#include "support/naming.hpp"
#include "support/number.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

AxisValue integer_value(const AxisInfo& axis, std::string_view text, std::string_view where) {
  const std::int64_t value = parse_integer(where, text, axis.smallest, axis.largest);
  if (value % axis.unit != 0) {
    refuse("{}: {} is not a multiple of {}; nearest legal: {}", where, value, axis.unit,
           fmt::join(multiples_around(value, axis.unit), " or "));
  }
  return value;
}

AxisValue word_value(const AxisInfo& axis, std::string_view text, std::string_view where) {
  if (text.empty()) refuse("{}: the value is empty; expected: {}", where, axis.values);
  return naming(where, [&] { return axis.canonical(text); });
}

AxisValue switch_value(std::string_view text, std::string_view where) {
  if (text != "on" && text != "off") refuse("{}: \"{}\" is neither on nor off", where, text);
  return std::string(text);
}

AxisValue histogram_value(std::string_view text, std::string_view where) {
  if (text == "none") return "none";
  if (text.empty()) refuse("{}: the value is empty; a list of lengths or a histogram file is expected", where);
  naming(where, [&] { find_histogram(text); });
  return std::string(text);
}

// A text that begins like a number is a list of lengths; a file of such a name is reached as ./NAME.
AxisValue documents_value(std::string_view text, std::string_view where) {
  if (text.empty() || std::string_view("0123456789+-").find(text.front()) == std::string_view::npos) {
    return histogram_value(text, where);
  }
  AxisValue lengths = AxisValue::array();
  for (const std::string_view length : split(text, ',')) {
    lengths.push_back(parse_integer(where, length, 1, Documents::kMaxSeqLen));
  }
  return lengths;
}

std::vector<std::string> shipped_histograms() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(find_config("document-lengths"))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

[[noreturn]] void refuse_type(std::string_view where, const Json& value, std::string_view expected) {
  refuse("{}: expected {}, not {}", where, expected, value.dump());
}

void expect_integer(const Json& value, std::int64_t smallest, std::int64_t largest, std::string_view where) {
  if (!value.is_number_integer()) {
    refuse_type(where, value, fmt::format("a whole number from {} to {}", smallest, largest));
  }
}

AxisValue documents_value(const Json& value, std::string_view where) {
  if (value.is_string()) return histogram_value(value.get_ref<const std::string&>(), where);
  if (!value.is_array() || value.empty())
    refuse_type(where, value, "a list of lengths or the name of a histogram file");
  AxisValue lengths = AxisValue::array();
  for (const Json& length : value) {
    const std::string element = fmt::format("{}/{}", where, lengths.size());
    expect_integer(length, 1, Documents::kMaxSeqLen, element);
    lengths.push_back(parse_integer(element, length.dump(), 1, Documents::kMaxSeqLen));
  }
  return lengths;
}

}  // namespace

AxisValue value_from_text(const AxisInfo& axis, std::string_view text, std::string_view where) {
  switch (axis.kind) {
    case AxisKind::kInteger:
      return integer_value(axis, text, where);
    case AxisKind::kReal:
      return parse_positive(where, text);
    case AxisKind::kFlag:
      if (text == "true" || text == "on") return true;
      if (text == "false" || text == "off") return false;
      refuse("{}: \"{}\" is neither on nor off; the bare flag is on", where, text);
    case AxisKind::kSwitch:
      return switch_value(text, where);
    case AxisKind::kWord:
      return word_value(axis, text, where);
    case AxisKind::kDocuments:
      break;
  }
  return documents_value(text, where);
}

std::vector<AxisValue> values_from_text(const AxisInfo& axis, std::string_view text, std::string_view where) {
  std::vector<AxisValue> values;
  if (axis.kind == AxisKind::kDocuments) {
    values.push_back(value_from_text(axis, text, where));
    return values;
  }
  for (const std::string_view part : split(text, ',')) values.push_back(value_from_text(axis, part, where));
  return values;
}

AxisValue value_from_json(const AxisInfo& axis, const Json& value, std::string_view where) {
  switch (axis.kind) {
    case AxisKind::kInteger:
      expect_integer(value, axis.smallest, axis.largest, where);
      return integer_value(axis, value.dump(), where);
    case AxisKind::kReal:
      if (!value.is_number()) refuse_type(where, value, "a positive number");
      return parse_positive(where, value.dump());
    case AxisKind::kFlag:
      if (!value.is_boolean()) refuse_type(where, value, "true or false");
      return value;
    case AxisKind::kSwitch:
      if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
      if (!value.is_string()) refuse_type(where, value, "\"on\" or \"off\"");
      return switch_value(value.get_ref<const std::string&>(), where);
    case AxisKind::kWord:
      if (!value.is_string()) refuse_type(where, value, fmt::format("a text ({})", axis.values));
      return word_value(axis, value.get_ref<const std::string&>(), where);
    case AxisKind::kDocuments:
      break;
  }
  return documents_value(value, where);
}

std::filesystem::path find_histogram(std::string_view name) {
  std::error_code unreadable;
  if (std::filesystem::is_regular_file(name, unreadable)) return name;
  const std::string file = name.ends_with(".json") ? std::string(name) : std::string(name) + ".json";
  try {
    return find_config("document-lengths/" + file);
  } catch (const Error&) {
    refuse_unknown("histogram file", name, shipped_histograms());
  }
}

}  // namespace cpbench
