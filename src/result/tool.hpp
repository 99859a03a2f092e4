// The program's own version and the commit that it was built from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "result/record.hpp"

namespace cpbench {

Tool this_tool();

/// `0.1.0 (git 1a2b3c, dirty)`
std::string revision_text(std::string_view version, const std::optional<std::string>& git, bool dirty);

}  // namespace cpbench
