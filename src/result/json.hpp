// Records as JSON. What is not known is left out; a number that is not finite is null, so that the text is always JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "result/record.hpp"

namespace cpbench {

using Json = nlohmann::ordered_json;

inline constexpr int kResultVersion = 1;

/// `name` or `version` of what every file of `cpbench` begins with; null in files of others.
Json schema_entry(const Json& document, const char* key);

/// null where it is not known or not finite.
Json json_of_figure(const std::optional<double>& value);

/// `flops` as a number: an integer up to 2^53, which every reader of JSON holds exactly, and the nearest double above.
Json json_of_flops(int128 flops);

Json json_of(const Tool& tool);
Json json_of(const Command& command);
Json json_of(const DeviceState& state);
DeviceState device_state_of(const Json& json);  ///< of what json_of has made of finite figures

/// Throughput is left out unless the status is ok: a wrong answer has no speed.
Json json_of(const PointRecord& point);
Json json_of(const Header& header);
Json json_of(const ResultFile& file);

/// Text of `json`; indent -1 puts it on one line. Bytes that are not UTF-8 (of a path, say) become U+FFFD.
std::string text_of(const Json& json, int indent = -1);

}  // namespace cpbench
