#include "schedule/verify/contents.hpp"

#include <fmt/format.h>

namespace cpbench::verification {

Contents::Contents(const Schedule& schedule, const Positions& positions) {
  for (std::size_t rank = 0; rank < schedule.programs.size(); ++rank) {
    const Program& program = schedule.programs[rank];
    std::vector<ContentMap>& maps = maps_.emplace_back();
    maps.reserve(program.buffers.size());
    for (const Buffer& b : program.buffers) maps.emplace_back(b, Content{});
    const auto hold = [&](BufferId id, Role kind, std::int64_t position) {
      if (id == kNoBuffer) return;
      maps[static_cast<std::size_t>(id)].assign(program.whole(id),
                                                {.state = Content::kKnown, .kind = kind, .row_shift = position});
    };
    const std::int64_t first = positions.first_of(static_cast<int>(rank));
    hold(program.owned.q, Role::kQ, first);
    hold(program.owned.kv, Role::kKv, first);
    hold(program.owned.dout, Role::kDout, first);
    hold(program.owned.sink, Role::kSink, 0);
  }
}

void move(const ContentMap& from, const Region& from_box, ContentMap& to, const Region& to_box) {
  if (&from == &to) return move(ContentMap(from), from_box, to, to_box);  // not while it changes
  const std::int64_t rows = to_box.row_begin - from_box.row_begin;
  const std::int32_t heads = to_box.head_begin - from_box.head_begin;
  from.visit(from_box, [&](const ContentMap::Cell& c) {
    Content moved = c.value;
    moved.row_shift -= rows;
    moved.head_shift -= heads;
    to.assign(
        {to_box.buffer, c.head_begin + heads, c.head_end - c.head_begin, c.row_begin + rows, c.row_end - c.row_begin},
        moved);
  });
}

void find_runs(const ContentMap& map, const Region& box, Role kind, std::int32_t head_shift,
               std::vector<RowRun>& runs) {
  runs.clear();
  if (box.empty()) return;
  std::int64_t band = -1;  // the cells of a band follow each other
  bool usable = false;
  map.visit(box, [&](const ContentMap::Cell& c) {
    const bool fits = c.value.is(kind) && c.value.head_shift == head_shift;
    const RowRun run{c.row_begin, c.row_end, c.row_begin + c.value.row_shift};
    if (c.row_begin != band) {
      band = c.row_begin;
      usable = fits;
      if (fits) runs.push_back(run);
    } else if (usable && !(fits && run == runs.back())) {
      usable = false;
      runs.pop_back();
    }
  });
  merge_neighbours(runs);
}

std::string describe(const ContentMap::Cell& cell, const Positions& positions) {
  if (cell.value.state == Content::kUnwritten) return "nothing yet";
  if (cell.value.state == Content::kZero) return "zeros";
  const std::int64_t head = cell.head_begin + cell.value.head_shift;
  if (cell.value.kind == Role::kSink || cell.value.kind == Role::kDsink) {
    return fmt::format("{} of head {}", name_of(cell.value.kind), head);
  }
  return fmt::format("{} of token {}, head {}", name_of(cell.value.kind),
                     positions.token_at(cell.row_begin + cell.value.row_shift), head);
}

}  // namespace cpbench::verification
