// What the buffers of all ranks hold, symbolically.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schedule/region_map.hpp"
#include "schedule/schedule.hpp"
#include "schedule/verify/provenance.hpp"

namespace cpbench::verification {

/// What a box of a buffer holds. Row r and head h belong to position r + row_shift and global head h + head_shift:
/// those of the query for q, out, lse, dq and the like, those of the key and its K/V head for kv and dkv.
struct Content {
  enum State : std::uint8_t {
    kUnwritten,
    kZero,  ///< an accumulator at zero: may become that of any row and head
    kKnown,
  };
  State state = kUnwritten;
  Role kind = Role::kQ;
  std::int32_t head_shift = 0;
  std::int64_t row_shift = 0;
  NodeId node = kNothing;

  bool is(Role role) const { return state == kKnown && kind == role; }
  bool operator==(const Content&) const = default;
  bool same_place(const Content& other) const { return row_shift == other.row_shift && head_shift == other.head_shift; }
};

using ContentMap = RegionMap<Content>;

class Contents {
 public:
  /// The inputs that each rank owns.
  Contents(const Schedule& schedule, const Positions& positions);
  ContentMap& of(int rank, BufferId id) { return maps_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(id)]; }

 private:
  std::vector<std::vector<ContentMap>> maps_;
};

/// Calls `visit` for boxes of `a_box` in which both maps have one value each: with the box in a's coordinates, a's
/// content and b's content as if it were there. The boxes have equal shape.
template <typename Visitor>
void zip(const ContentMap& a, const Region& a_box, const ContentMap& b, const Region& b_box, Visitor&& visitor) {
  const std::int64_t rows = a_box.row_begin - b_box.row_begin;
  const std::int32_t heads = a_box.head_begin - b_box.head_begin;
  a.visit(a_box, [&](const ContentMap::Cell& x) {
    const Region there{b_box.buffer, x.head_begin - heads, x.head_end - x.head_begin, x.row_begin - rows,
                       x.row_end - x.row_begin};
    b.visit(there, [&](const ContentMap::Cell& y) {
      Content moved = y.value;
      moved.row_shift -= rows;
      moved.head_shift -= heads;
      visitor(Region{a_box.buffer, y.head_begin + heads, y.head_end - y.head_begin, y.row_begin + rows,
                     y.row_end - y.row_begin},
              x.value, moved);
    });
  });
}

/// to_box holds what from_box holds. The boxes have equal shape and do not overlap.
void move(const ContentMap& from, const Region& from_box, ContentMap& to, const Region& to_box);

/// Sets `runs` to the rows of `box` that hold a `kind` with this head shift in all of the box's heads.
void find_runs(const ContentMap& map, const Region& box, Role kind, std::int32_t head_shift, std::vector<RowRun>& runs);

/// What a cell holds, for messages: `kv of token 17, head 2`.
std::string describe(const ContentMap::Cell& cell, const Positions& positions);

}  // namespace cpbench::verification
