#include "launch.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "block.hpp"
#include "fault_message.hpp"
#include "global_shadow.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kMaxSharedBytes = 227 << 10;

std::vector<int> order_of_blocks(int blocks) {
  std::vector<int> order(static_cast<std::size_t>(blocks));
  std::iota(order.begin(), order.end(), 0);
  if (scheduler().settings().order == Order::kLate) std::reverse(order.begin(), order.end());
  if (scheduler().settings().order == Order::kRandom) std::shuffle(order.begin(), order.end(), scheduler().random());
  return order;
}

}  // namespace

void run_launch(const LaunchShape& shape, const KernelCall& call) {
  if (shape.threads <= 0 || shape.threads > kMaxThreads || shape.threads % 32 != 0) {
    fail(FaultKind::kMisuse, "a launch of {} threads: whole warps, at most {}", shape.threads, kMaxThreads);
  }
  if (shape.blocks < 0 || shape.shared_bytes < 0 || shape.shared_bytes > kMaxSharedBytes) {
    fail(FaultKind::kMisuse, "a launch of {} blocks with {} bytes of shared memory: at most {}", shape.blocks,
         shape.shared_bytes, kMaxSharedBytes);
  }
  map_arena();
  for (const int index : order_of_blocks(shape.blocks)) {
    global_shadow().next_block();
    block().run(shape, call, index);
  }
}

}  // namespace cpbench::vgpu
