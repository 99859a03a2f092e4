#include "run/poison.hpp"

#include <algorithm>
#include <array>

namespace cpbench {
namespace {

enum class Origin : std::uint8_t { kUntouched, kWithin, kBefore };

/// Where what the part reads of each buffer comes from. A buffer that operations before the part write may hold some of
/// that still, unless the part begins by writing the whole of it.
std::vector<Origin> origins(const Program& program, Part part) {
  std::vector<Origin> origin(program.buffers.size(), Origin::kUntouched);
  std::vector<bool> written_before(program.buffers.size());
  for (const Op& op : program.ops) {
    for (const Access& access : accesses_of(program, op)) {
      const auto id = static_cast<std::size_t>(access.region.buffer);
      if (!belongs_to(op, part)) {
        if (access.writes) written_before[id] = true;
      } else if (origin[id] == Origin::kUntouched) {
        const bool from_scratch = access.region == program.whole(access.region.buffer) || !written_before[id];
        origin[id] = access.writes && !access.reads && from_scratch ? Origin::kWithin : Origin::kBefore;
      }
    }
  }
  return origin;
}

}  // namespace

void poison(const ProgramMemory& memory, Part part, Backend& backend) {
  constexpr std::int64_t kChunk = 1 << 16;
  std::array<std::byte, kChunk> useless;
  useless.fill(std::byte{0xff});
  const std::vector<Origin> origin = origins(*memory.program, part);
  for (std::size_t id = 0; id < origin.size(); ++id) {
    if (origin[id] != Origin::kWithin) continue;
    const std::int64_t bytes = memory.program->buffers[id].bytes(memory.problem->batch);
    for (std::int64_t begin = 0; begin < bytes; begin += kChunk) {
      backend.write(memory.buffers[id] + begin,
                    std::span(useless).first(static_cast<std::size_t>(std::min(kChunk, bytes - begin))));
    }
  }
}

}  // namespace cpbench
