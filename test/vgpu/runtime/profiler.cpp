#include "vgpu/profiler.hpp"

#include <nvtx3/nvToolsExt.h>

#include <utility>

namespace {

std::vector<std::string>& open() {
  static std::vector<std::string> ranges;
  return ranges;
}
std::vector<std::string>& closed() {
  static std::vector<std::string> ranges;
  return ranges;
}

}  // namespace

int nvtxRangePushA(const char* message) {
  open().emplace_back(message);
  return static_cast<int>(open().size()) - 1;
}

int nvtxRangePop() {
  constexpr int kNoneIsOpen = -2;  // as NVTX has it
  if (open().empty()) return kNoneIsOpen;
  closed().push_back(std::move(open().back()));
  open().pop_back();
  return static_cast<int>(open().size());
}

namespace cpbench::vgpu {

std::vector<std::string> take_ranges() { return std::exchange(closed(), {}); }
int open_ranges() { return static_cast<int>(open().size()); }

}  // namespace cpbench::vgpu
