#include "schedule/passes/boxes.hpp"

namespace cpbench {

std::vector<Region> key_boxes(std::span<const Tile> tiles, BufferId buffer, int heads) {
  std::vector<Region> rows;
  for (const Tile& t : tiles) rows.push_back({buffer, 0, heads, t.k_begin, t.k_count});
  std::sort(rows.begin(), rows.end(), [](const Region& a, const Region& b) { return a.row_begin < b.row_begin; });
  std::vector<Region> merged;
  for (const Region& r : rows) {
    if (!merged.empty() && r.row_begin <= merged.back().row_end()) {
      const std::int64_t end = std::max(merged.back().row_end(), r.row_end());
      merged.back().row_count = end - merged.back().row_begin;
    } else {
      merged.push_back(r);
    }
  }
  return merged;
}

}  // namespace cpbench
