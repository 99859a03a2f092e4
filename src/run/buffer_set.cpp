#include "run/buffer_set.hpp"

#include <stdexcept>

namespace cpbench {

BufferSet::BufferSet(const Problem& problem, const Program& program, Backend& backend)
    : problem_(&problem), buffers_(program.buffers) {
  for (const Buffer& buffer : buffers_) {
    const std::int64_t bytes = buffer.bytes(problem.batch);
    allocations_.push_back(bytes > 0 ? backend.allocate(bytes) : nullptr);
  }
}

ProgramMemory BufferSet::memory_of(const Program& program) const {
  if (program.buffers != buffers_) throw std::logic_error("a program was given the memory of another one");
  ProgramMemory memory{problem_, &program, {}};
  for (const auto& allocation : allocations_) memory.buffers.push_back(allocation ? allocation->data() : nullptr);
  return memory;
}

}  // namespace cpbench
