#include "transport/transport.hpp"

#include <stdexcept>

namespace cpbench {

std::int64_t Message::bytes() const {
  std::int64_t total = 0;
  for (const TensorView& box : boxes) total += bytes_of(box);
  return total;
}

void Transport::queue(std::span<const MessageId>, Stream) {
  throw std::logic_error("a transport that the host drives was asked to queue messages");
}

}  // namespace cpbench
