// The table on stdout, in the manner of nccl-tests: `#` lines of context, one row per point, a verdict.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "result/case_columns.hpp"
#include "result/columns.hpp"
#include "result/record.hpp"

namespace cpbench {

/// What all points of a run share.
struct TableContext {
  std::string backend, transport;
  int threads = 1;                   ///< per rank
  nlohmann::ordered_json axes = {};  ///< of their cases: see shared_axes_of
};

/// What a table says of points besides which they are.
struct TableFigures {
  std::string legend;  ///< a line above the columns
  std::vector<Column<PointRecord>> columns;
};
/// Of points that were run.
TableFigures measured_figures();

class Table {
 public:
  /// `extra_axes` get a column each: see extra_axes_of.
  explicit Table(const std::vector<std::string>& extra_axes = {}, TableFigures figures = measured_figures());

  /// Version, ranks with their hosts and CPUs, backend, transport, threads, the axes that points share; then the
  /// columns' names and units.
  std::string header(const Header& header, const TableContext& context) const;
  /// The last part of it alone, from the axes that points share on.
  std::string heading(const nlohmann::ordered_json& axes) const;
  /// Those of the rows, for other writers.
  std::vector<Column<PointRecord>> columns() const;
  /// One line per point, from its record alone. The reason of a point without times stands in their place; that of an
  /// invalid one, whose times are shown, in a `#` line below.
  std::string row(const PointRecord& point) const;
  /// Two lines: how many points ended how, those that there was no time for among them, and the verdict.
  static std::vector<std::string> verdict(std::span<const PointRecord> points, std::size_t not_begun = 0);
  /// The same as `#` lines.
  static std::string footer(std::span<const PointRecord> points, std::size_t not_begun = 0);

  /// Characters of a row whose cells all fit; a longer cell shifts the rest of its row.
  std::size_t width() const;

 private:
  std::vector<Column<nlohmann::ordered_json>> identity_;  ///< which point it is
  TableFigures figures_;                                  ///< what it did
};

}  // namespace cpbench
