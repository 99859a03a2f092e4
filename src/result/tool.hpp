// The program's own version and the commit that it was built from.
#pragma once

#include "result/record.hpp"

namespace cpbench {

Tool this_tool();

}  // namespace cpbench
