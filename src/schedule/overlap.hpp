// What may go on at once.
#pragma once

#include <functional>

#include "schedule/program.hpp"

namespace cpbench {

/// How many streams, at most, may have an exchange in flight while one and the same attend of the forward pass runs: of
/// the exchanges that count, those that nothing orders before or after it.
int streams_beside_an_attend(const Program& program, const std::function<bool(const Exchange& exchange)>& counts);

}  // namespace cpbench
