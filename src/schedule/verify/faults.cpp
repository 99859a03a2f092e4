#include "schedule/verify/faults.hpp"

namespace cpbench::verification {

std::string describe(int rank, const Program& program, OpId op) {
  return fmt::format("rank {}, op {} ({})", rank, op, to_string(program.ops[static_cast<std::size_t>(op)].label));
}

std::string describe(const Program& program, const Region& region) {
  return fmt::format("{} (buffer {}), rows [{}, {}), heads [{}, {})", name_of(program.buffer(region.buffer).role),
                     region.buffer, region.row_begin, region.row_end(), region.head_begin, region.head_end());
}

}  // namespace cpbench::verification
