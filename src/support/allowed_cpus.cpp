#include "support/allowed_cpus.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "support/error.hpp"

namespace cpbench {

std::vector<int> allowed_cpus() {
  // The kernel refuses a set that is too small for the machine, so grow it until it fits.
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<std::size_t>(capacity)),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(capacity));
    if (sched_getaffinity(0, bytes, set.get()) != 0) {
      if (errno == EINVAL) continue;
      break;
    }
    std::vector<int> cpus;
    for (int cpu = 0; cpu < capacity; ++cpu) {
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set.get())) cpus.push_back(cpu);
    }
    return cpus;
  }
  throw Error(ExitCode::kPlacement, fmt::format("sched_getaffinity: {}", std::system_category().message(errno)));
}

}  // namespace cpbench
