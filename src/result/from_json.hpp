// Records from the JSON of result files, as result/json.hpp writes it.
#pragma once

#include "result/json.hpp"
#include "result/record.hpp"

namespace cpbench {

// Of what is missing, or of another type, they throw what the JSON library throws, or a std::runtime_error: the caller
// knows the file.

// What every file of cpbench has.
Tool tool_of(const Json& json);
Command command_of(const Json& json);
int128 flops_of(const Json& json);       ///< the inverse of json_of_flops, as far as the text has it
std::string one_line(std::string text);  ///< of what is shown in a row of a table
/// Of a point `id`, `case`, `status` and `reason`, which becomes one line.
PointRecord begun_record_of(const Json& point);

/// Of a whole file, or of the first line of a .jsonl.
Header header_of(const Json& document);

/// Statistics of times are those of the samples, which must be times. Left in the file are the figures of tensors, the
/// states of devices, and steps.
PointRecord record_of(const Json& point);

}  // namespace cpbench
