#include "transport/carrier.hpp"

#include <algorithm>

namespace cpbench {

std::vector<std::string> no_obstacles(const Communicator& ranks, int) {
  return std::vector<std::string>(static_cast<std::size_t>(ranks.size()));
}

std::vector<const Carrier*> carriers_for(const std::string& platform) {
  std::vector<const Carrier*> found;
  for (const Carrier& carrier : registered<Carrier>()) {
    if (carrier.platform == platform) found.push_back(&carrier);
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Carrier::preference);
  return found;
}

}  // namespace cpbench
