// In which order the virtual GPU does what may happen in any order.
#pragma once

#include <cstdint>

namespace cpbench::vgpu {

enum class Order : std::uint8_t {
  kEager,   ///< asynchronous work is done when it is issued; threads and blocks take turns, first come first served
  kLate,    ///< asynchronous work is done when somebody waits for it and nothing else can go on
  kRandom,  ///< anything that is allowed
};

struct OrderSettings {
  Order order = Order::kRandom;
  std::uint64_t seed = 1;  ///< of kRandom
};

/// Holds for what is launched or queued from now on. At first: the environment's CPBENCH_VGPU_ORDER (`eager`, `late`,
/// `random`) and CPBENCH_VGPU_SEED, or the defaults above.
void set_order(OrderSettings settings);
OrderSettings order_settings();

}  // namespace cpbench::vgpu
