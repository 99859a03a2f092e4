// Which tokens the rows of an operand hold.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "schedule/verify/ownership.hpp"

namespace cpbench::verification {

/// Row row_begin + i holds what began at position `position` + i.
struct RowRun {
  std::int64_t row_begin, row_end, position;
  bool operator==(const RowRun&) const = default;
};

/// Runs in the order of rows, with gaps where rows hold nothing of the kind.
struct RowMap {
  std::vector<RowRun> runs;
  std::vector<TokenRun> tokens;  ///< the same rows by token
  bool injective;                ///< no position twice
  std::int64_t rows() const;
};

/// Joins runs of which one continues the other.
void merge_neighbours(std::vector<RowRun>& runs);

using RowMapId = std::uint32_t;

/// All different row maps, each once: a ring of P ranks attends P^2 times, but to P blocks.
class RowMaps {
 public:
  explicit RowMaps(const Positions& positions) : positions_(positions) {}
  /// `runs` are in the order of rows and merged.
  RowMapId intern(const std::vector<RowRun>& runs);
  const RowMap& operator[](RowMapId id) const { return maps_[id]; }

 private:
  RowMap expand(std::vector<RowRun> runs) const;

  const Positions& positions_;
  std::deque<RowMap> maps_;  ///< references to which stay valid
  std::unordered_multimap<std::size_t, RowMapId> by_hash_;
};

}  // namespace cpbench::verification
