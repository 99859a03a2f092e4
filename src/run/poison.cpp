#include "run/poison.hpp"

#include "schedule/region_map.hpp"

namespace cpbench {
namespace {

enum class Origin : std::uint8_t { kUntouched, kWithin, kBefore };

/// Where what the pass reads of each buffer comes from. A buffer that operations before the pass write may hold some of
/// that still, unless the pass begins by writing the whole of it.
std::vector<Origin> origins(const Program& program, Pass pass) {
  std::vector<Origin> origin(program.buffers.size(), Origin::kUntouched);
  std::vector<bool> written_before(program.buffers.size());
  for (const Op& op : program.ops) {
    for (const Access& access : accesses_of(program, op)) {
      const auto id = static_cast<std::size_t>(access.region.buffer);
      if (!belongs_to(op, pass)) {
        if (access.writes) written_before[id] = true;
      } else if (origin[id] == Origin::kUntouched) {
        const bool from_scratch = access.region == program.whole(access.region.buffer) || !written_before[id];
        origin[id] = access.writes && !access.reads && from_scratch ? Origin::kWithin : Origin::kBefore;
      }
    }
  }
  return origin;
}

/// Buffers of which the pass reads something that it has not written before: where nothing is sent that no tile needs,
/// kernels load it with the keys beside it.
std::vector<bool> with_gaps(const Program& program, Pass pass) {
  std::vector<RegionMap<bool>> is_written;
  for (const Buffer& buffer : program.buffers) is_written.emplace_back(buffer, false);
  std::vector<bool> gaps(program.buffers.size());
  for (const Op& op : program.ops) {
    if (!belongs_to(op, pass)) continue;
    for (const Access& access : accesses_of(program, op)) {
      const auto id = static_cast<std::size_t>(access.region.buffer);
      if (access.reads)
        is_written[id].visit(access.region, [&](const auto& cell) { gaps[id] = gaps[id] || !cell.value; });
      if (access.writes) is_written[id].assign(access.region, true);
    }
  }
  return gaps;
}

}  // namespace

void poison(const ProgramMemory& memory, Pass pass, Backend& backend) {
  constexpr std::byte kZero{0}, kNan{0xff};
  const std::vector<Origin> origin = origins(*memory.program, pass);
  const std::vector<bool> gaps = with_gaps(*memory.program, pass);
  for (std::size_t id = 0; id < origin.size(); ++id) {
    if (origin[id] != Origin::kWithin) continue;
    const std::int64_t bytes = memory.program->buffers[id].bytes(memory.problem->batch);
    backend.fill({memory.buffers[id], static_cast<std::size_t>(bytes)}, gaps[id] ? kZero : kNan);
  }
}

}  // namespace cpbench
