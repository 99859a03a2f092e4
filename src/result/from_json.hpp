// Records from the JSON of result files, as result/json.hpp writes it.
#pragma once

#include "result/json.hpp"
#include "result/record.hpp"

namespace cpbench {

// Of what is missing, or of another type, they throw what the JSON library throws, or a std::runtime_error: the caller
// knows the file.

/// Of a whole file, or of the first line of a .jsonl.
Header header_of(const Json& document);

/// Statistics of times are those of the samples, which must be times. Left in the file are the figures of tensors, the
/// states of devices, and steps. A reason becomes one line, for it is shown in a row of a table.
PointRecord record_of(const Json& point);

}  // namespace cpbench
