#include "transport/transport.hpp"

namespace cpbench {

std::int64_t Message::bytes() const {
  std::int64_t total = 0;
  for (const TensorView& box : boxes) total += box.batch * box.rows * box.heads * box.dim * bytes_of(box.dtype);
  return total;
}

}  // namespace cpbench
