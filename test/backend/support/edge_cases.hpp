// Attention whose shape is all edge: what every kernel, on every device, must get right.
#pragma once

#include <vector>

#include "backend/support/attention_case.hpp"

namespace cpbench::test {

/// Small cases in fp32: single rows, rows and keys that nothing reaches, nothing at all, memory longer than the case,
/// more calls than work, heads that begin elsewhere, values of another size than keys.
std::vector<AttentionCase> edge_cases();

}  // namespace cpbench::test
