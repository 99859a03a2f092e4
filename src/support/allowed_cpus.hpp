// The CPUs that a launcher left to this process.
#pragma once

#include <vector>

namespace cpbench {

/// CPUs of the process's affinity mask, ascending.
std::vector<int> allowed_cpus();

}  // namespace cpbench
