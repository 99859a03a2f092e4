// When an operation ran: what timelines are made of.
#pragma once

#include <cstdint>

#include "schedule/program.hpp"

namespace cpbench {

/// Host steady-clock nanoseconds. For an exchange: from its start to the completion of its last message.
struct Span {
  OpId op;
  std::int64_t begin_ns, end_ns;
};

}  // namespace cpbench
