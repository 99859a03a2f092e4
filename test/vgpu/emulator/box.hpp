// Walks over the rows of a tensor map's box.
#pragma once

#include <algorithm>
#include <cstdint>

#include "bulk_copies.hpp"
#include "swizzle.hpp"

namespace cpbench::vgpu {

/// One row of a box: `bytes` of it, from `skip` on, are in the tensor, at `global`.
struct BoxRow {
  std::uint32_t shared;  ///< offset in shared memory of the row, before swizzling
  std::uintptr_t global;
  std::uint32_t skip, bytes;  ///< bytes is 0 where the whole row is outside
};

/// Calls visit(BoxRow) for all rows of a box of four axes.
template <typename Visitor>
void for_each_row(const BulkCopies::Box& box, Visitor&& visit) {
  const TensorMap& map = box.map;
  const std::int64_t first = std::max<std::int64_t>(0, -std::int64_t{box.at[0]});
  const std::int64_t last = std::min<std::int64_t>(map.box[0], std::int64_t{map.sizes[0]} - box.at[0]);
  std::uint32_t shared = box.shared;
  for (int i3 = 0; i3 < map.box[3]; ++i3) {
    for (int i2 = 0; i2 < map.box[2]; ++i2) {
      for (int i1 = 0; i1 < map.box[1]; ++i1, shared += map.row_bytes()) {
        const std::int64_t c[] = {box.at[0] + first, std::int64_t{box.at[1]} + i1, std::int64_t{box.at[2]} + i2,
                                  std::int64_t{box.at[3]} + i3};
        bool inside = first < last;
        std::uint64_t global = map.address + static_cast<std::uint64_t>(c[0]) * map.element_bytes;
        for (int axis = 1; axis < 4; ++axis) {
          inside = inside && c[axis] >= 0 && c[axis] < map.sizes[axis];
          global += static_cast<std::uint64_t>(c[axis]) * map.strides[axis - 1];
        }
        const auto bytes = inside ? static_cast<std::uint32_t>(last - first) * map.element_bytes : 0;
        visit(BoxRow{shared, global, static_cast<std::uint32_t>(first) * map.element_bytes, bytes});
      }
    }
  }
}

/// Calls visit(offset in the row, offset in shared memory) for the 16-byte pieces of a row.
template <typename Visitor>
void for_each_piece(const BulkCopies::Box& box, const BoxRow& row, Visitor&& visit) {
  for (std::uint32_t piece = 0; piece < box.map.row_bytes(); piece += 16) {
    visit(piece, swizzle(row.shared + piece, box.map.span));
  }
}

}  // namespace cpbench::vgpu
