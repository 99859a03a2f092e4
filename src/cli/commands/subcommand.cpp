#include "cli/commands/subcommand.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace cpbench {

void warn(const Job& job, const std::string& text) {
  if (job.speaks && !text.empty()) fmt::print(stderr, "cpbench: {}\n", text);
}

}  // namespace cpbench
