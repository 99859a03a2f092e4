#include "transport/carrier.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace cpbench {
namespace {

/// A function's static, so that it exists before the first static RegisterCarrier in whichever file comes first.
std::deque<Carrier>& registry() {
  static std::deque<Carrier> all;
  return all;
}

}  // namespace

RegisterCarrier::RegisterCarrier(Carrier carrier) { registry().push_back(std::move(carrier)); }

std::vector<std::string> no_obstacles(const Communicator& ranks, int) {
  return std::vector<std::string>(static_cast<std::size_t>(ranks.size()));
}

std::vector<const Carrier*> carriers_for(const std::string& platform) {
  std::vector<const Carrier*> found;
  for (const Carrier& carrier : registry()) {
    if (carrier.platform == platform) found.push_back(&carrier);
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Carrier::preference);
  return found;
}

}  // namespace cpbench
