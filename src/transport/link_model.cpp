#include "transport/link_model.hpp"

#include <algorithm>
#include <vector>

#include "support/error.hpp"
#include "support/nearest.hpp"
#include "support/number.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

// Beyond any link; times of messages then fit into nanoseconds of 64 bits.
constexpr double kSlowestGigabytes = 1e-6, kFastestGigabytes = 1e6, kLongestMicroseconds = 1e9;

double parse_number(std::string_view number) {
  const std::optional<double> value = number_in(number);
  if (!value) refuse("'{}' is not a number; write GB/s[:us], for example 25:2", number);
  return *value;
}

LinkModel::Speed parse_speed(std::string_view speed) {
  const std::size_t colon = speed.find(':');
  const double gigabytes = parse_number(speed.substr(0, colon));
  const double microseconds = colon == std::string_view::npos ? 0 : parse_number(speed.substr(colon + 1));
  if (gigabytes < kSlowestGigabytes || gigabytes > kFastestGigabytes) {
    refuse("the bandwidth {} GB/s is not from {} to {}", gigabytes, kSlowestGigabytes, kFastestGigabytes);
  }
  if (microseconds < 0 || microseconds > kLongestMicroseconds) {
    refuse("the latency {} us is not from 0 to {}", microseconds, kLongestMicroseconds);
  }
  return {gigabytes * 1e9, microseconds * 1e-6};
}

Link parse_link(std::string_view name) {
  std::vector<std::string> known;
  for (const Link link : kAllLinks) {
    if (name == name_of(link)) return link;
    known.emplace_back(name_of(link));
  }
  const std::string close = nearest(name, known);
  refuse("unknown link '{}'{}; links are inner, outer and all-to-all", name,
         close.empty() ? "" : fmt::format(" (did you mean '{}'?)", close));
}

std::string to_string(const LinkModel::Speed& speed) {
  const std::string bandwidth = fmt::format("{}", speed.bytes_per_second / 1e9);
  return speed.latency_s == 0 ? bandwidth : fmt::format("{}:{:.15g}", bandwidth, speed.latency_s * 1e6);
}

}  // namespace

LinkModel parse_link_model(std::string_view text) {
  LinkModel model;
  if (text.find('=') == std::string_view::npos) {
    model.speeds.fill(parse_speed(text));
    return model;
  }
  for (const std::string_view item : split(text, ',')) {
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      refuse("'{}' names no link; write inner=GB/s[:us],outer=...", item);
    }
    auto& speed = model.speeds[static_cast<std::size_t>(parse_link(item.substr(0, equals)))];
    if (speed) refuse("link '{}' is given twice", item.substr(0, equals));
    speed = parse_speed(item.substr(equals + 1));
  }
  return model;
}

std::string to_string(const LinkModel& model) {
  if (model.speeds[0] && std::ranges::all_of(model.speeds, [&](const auto& s) { return s == model.speeds[0]; })) {
    return to_string(*model.speeds[0]);
  }
  std::string text;
  for (const Link link : kAllLinks) {
    if (!model.of(link)) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name_of(link), to_string(*model.of(link)));
  }
  return text;
}

}  // namespace cpbench
