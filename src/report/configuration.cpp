#include "report/configuration.hpp"

#include <algorithm>
#include <map>

#include "report/points.hpp"

namespace cpbench {

std::vector<const PointRecord*> Configuration::with_figures() const {
  std::vector<const PointRecord*> found;
  if (std::ranges::any_of(points, [](const PointRecord* point) { return point->status == Status::kInvalid; }))
    return found;
  std::ranges::copy_if(points, std::back_inserter(found), &PointRecord::has_figures);
  return found;
}

std::optional<double> Configuration::median(const Figure& figure) const {
  std::vector<double> values;
  for (const PointRecord* point : with_figures()) {
    if (const std::optional<double> value = figure.of(*point)) values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(summarize(values).median_s);
}

TimingSummary Configuration::times() const {
  std::vector<double> samples;
  for (const PointRecord* point : with_figures()) {
    if (!point->timing) continue;
    const std::vector<double>& of_launch = point->timing->full.samples_s;
    samples.insert(samples.end(), of_launch.begin(), of_launch.end());
  }
  return summarize(samples);
}

bool Configuration::fits() const {
  return std::ranges::all_of(points, [](const PointRecord* point) { return point->fits(); });
}

std::vector<Configuration> configurations_of(std::span<const PointRecord> points,
                                             const std::vector<std::string>& named) {
  std::vector<Configuration> configurations;
  std::map<nlohmann::json, std::size_t> places;  // by axes, whatever their order
  for (const PointRecord& point : points) {
    nlohmann::ordered_json axes = point.axes;
    if (std::ranges::count(named, kFileAxis) == 0) axes.erase(kFileAxis);
    const auto [place, is_new] = places.emplace(axes, configurations.size());
    if (is_new) configurations.push_back({std::move(axes), {}});
    configurations[place->second].points.push_back(&point);
  }
  return configurations;
}

nlohmann::ordered_json values_on(const std::vector<std::string>& names, const nlohmann::ordered_json& axes) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  for (const std::string& name : names) values[name] = axes.value(name, nlohmann::ordered_json());
  return values;
}

std::vector<ConfigurationGroup> groups_of(std::span<const PointRecord> points, const std::vector<std::string>& axes) {
  std::vector<ConfigurationGroup> groups;
  for (const Configuration& configuration : configurations_of(points, axes)) {
    const nlohmann::ordered_json values = values_on(axes, configuration.axes);
    auto group = std::ranges::find(groups, values, &ConfigurationGroup::values);
    if (group == groups.end()) group = groups.insert(group, {values, {}});
    group->members.push_back(configuration);
  }
  return groups;
}

}  // namespace cpbench
