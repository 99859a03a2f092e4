#include "cli/config/config_file.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "support/config_path.hpp"
#include "support/error.hpp"
#include "support/file_contents.hpp"
#include "support/json_text.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

const std::vector<std::string> kKeys = {"schema_version", "length_scale", "defaults", "matrix", "include", "exclude"};

// A place in the file: its name and a JSON pointer.
class Place {
 public:
  Place(std::string_view name, const Json& value) : name_(name), value_(&value) {}

  const std::string& name() const { return name_; }
  const Json& value() const { return *value_; }
  Place operator/(const std::string& key) const { return {name_, pointer_to(key), value_->at(key)}; }
  Place operator/(std::size_t index) const { return {name_, fmt::format("{}/{}", pointer_, index), value_->at(index)}; }
  std::string where() const { return fmt::format("{}: {}", name_, pointer_.empty() ? "/" : pointer_); }

  void expect(bool right_type, std::string_view expected) const {
    if (!right_type) refuse("{}: expected {}, not {}", where(), expected, abridged(value_->dump()));
  }
  void refuse_key(const std::string& key, const std::vector<std::string>& known) const {
    refuse_unknown(fmt::format("key at {}: {}:", name_, pointer_to(key)), key, known);
  }

 private:
  Place(std::string_view name, std::string pointer, const Json& value)
      : name_(name), pointer_(std::move(pointer)), value_(&value) {}

  std::string pointer_to(const std::string& key) const { return (Json::json_pointer(pointer_) / key).to_string(); }

  static std::string abridged(std::string text) {
    constexpr std::size_t kLongest = 80;
    if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
    return text;
  }

  std::string name_, pointer_;
  const Json* value_;
};

// nlohmann_json would silently keep one of two equal keys.
class DuplicateKeys {
 public:
  explicit DuplicateKeys(std::string_view name) : name_(name) {}

  bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second) {
      refuse("{}: the key \"{}\" is given twice in one object", name_, parsed.get<std::string>());
    }
    return true;
  }

 private:
  std::string name_;
  std::vector<std::set<std::string>> open_;
};

const AxisInfo& axis_at(const Place& object, const std::string& key) {
  const AxisInfo* axis = find_axis(key);
  if (axis == nullptr) object.refuse_key(key, axis_names());
  return *axis;
}

PointSpec read_point(const Place& place) {
  place.expect(place.value().is_object(), "an object {axis: value}");
  PointSpec point;
  for (const auto& [key, value] : place.value().items()) {
    const AxisInfo& axis = axis_at(place, key);
    const std::string where = (place / key).where();
    point.set(axis.axis, value_from_json(axis, value, where), where);
  }
  return point;
}

AxisValues read_matrix(const Place& place) {
  place.expect(place.value().is_object(), "an object {axis: [values]}");
  AxisValues matrix;
  for (const auto& [key, values] : place.value().items()) {
    const AxisInfo& axis = axis_at(place, key);
    const Place list = place / key;
    list.expect(values.is_array(), "a list of values");
    if (values.empty()) refuse("{}: the list of values is empty", list.where());
    for (std::size_t i = 0; i < values.size(); ++i) {
      matrix[axis.axis].push_back(value_from_json(axis, values[i], (list / i).where()));
    }
  }
  return matrix;
}

std::vector<PointSpec> read_points(const Place& place) {
  place.expect(place.value().is_array(), "a list of objects {axis: value}");
  std::vector<PointSpec> points;
  for (std::size_t i = 0; i < place.value().size(); ++i) points.push_back(read_point(place / i));
  return points;
}

double read_scale(const Place& place) {
  place.expect(place.value().is_number() && place.value() > 0 && std::isfinite(place.value().get<double>()),
               "a positive number");
  return place.value().get<double>();
}

// An `exclude` that can match nothing is a mistake, and a silent one.
void check_exclude(const Place& root, const Sweep& sweep) {
  for (std::size_t i = 0; i < sweep.exclude.size(); ++i) {
    const Place place = root / "exclude" / i;
    place.expect(!place.value().empty(), "at least one axis");
    for (const auto& [key, value] : place.value().items()) {
      const Axis axis = find_axis(key)->axis;
      if (sweep.matrix[axis].empty() && !sweep.defaults.has(axis)) {
        refuse("{}: no point has this axis: name it in matrix or defaults", (place / key).where());
      }
      const AxisValue& unwanted = sweep.exclude[i].at(axis);
      const auto& values = sweep.matrix[axis];
      const bool occurs = values.empty() ? sweep.defaults.at(axis) == unwanted
                                         : std::find(values.begin(), values.end(), unwanted) != values.end();
      if (!occurs) refuse("{}: no point has the value {}", (place / key).where(), value.dump());
    }
  }
}

Sweep read_sweep(const Place& root) {
  root.expect(root.value().is_object(), "an object");
  for (const auto& [key, value] : root.value().items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) root.refuse_key(key, kKeys);
  }
  const auto has = [&](const char* key) { return root.value().contains(key); };
  if (!has("schema_version")) refuse("{}: schema_version is missing; this program reads version 1", root.where());
  (root / "schema_version").expect(root.value()["schema_version"] == 1, "the version 1");
  Sweep sweep{.file = root.name(), .text = {}};
  if (has("defaults")) sweep.defaults = read_point(root / "defaults");
  if (has("matrix")) sweep.matrix = read_matrix(root / "matrix");
  if (has("include")) sweep.include = read_points(root / "include");
  if (has("exclude")) sweep.exclude = read_points(root / "exclude");
  check_exclude(root, sweep);
  return sweep;
}

}  // namespace

Sweep parse_config(std::string_view text, std::string_view name, std::optional<double> length_scale) {
  const Json content = parse_json<Json>(text, name, DuplicateKeys(name));
  const Place root(name, content);
  Sweep sweep = read_sweep(root);
  sweep.text = text;
  const double own_scale = content.contains("length_scale") ? read_scale(root / "length_scale") : 1.0;
  scale_lengths(sweep, length_scale.value_or(own_scale));
  return sweep;
}

Sweep read_config(const std::filesystem::path& file, std::optional<double> length_scale) {
  const std::filesystem::path found = find_given_config(file);
  const std::string text = contents_of(found);
  if (text.empty()) refuse("{}: the config is empty", found.string());
  return parse_config(text, found.string(), length_scale);
}

}  // namespace cpbench
