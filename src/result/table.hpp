// The table on stdout, in the manner of nccl-tests: `#` lines of context, one row per point, a verdict.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "result/record.hpp"

namespace cpbench {

/// What all points of a run share.
struct TableContext {
  std::string backend, transport;
  int threads = 1;                   ///< per rank
  nlohmann::ordered_json axes = {};  ///< of their cases: see shared_axes_of
};

class Table {
 public:
  /// `extra_axes` get a column each: see extra_axes_of.
  explicit Table(const std::vector<std::string>& extra_axes = {});

  /// Version, ranks with their hosts and CPUs, backend, transport, threads, the axes that points share; then the
  /// columns' names and units.
  std::string header(const Header& header, const TableContext& context) const;
  /// One line per point, from its record alone. The reason of a point without times stands in their place; that of an
  /// invalid one, whose times are shown, in a `#` line below.
  std::string row(const PointRecord& point) const;
  /// How many points ended how, and the verdict.
  static std::string footer(std::span<const PointRecord> points);

  /// Characters of a row whose cells all fit; a longer cell shifts the rest of its row.
  std::size_t width() const;

 private:
  struct Column {
    std::string name, unit;
    int width;  ///< negative: aligned to the left
    std::function<std::string(const PointRecord&)> cell;
  };
  using Columns = std::vector<Column>;
  static Columns identity_columns(const std::vector<std::string>& extra_axes);
  static Columns figure_columns();

  Columns identity_;  ///< which point it is
  Columns figures_;   ///< what it did
};

/// The axes that have no column of their own but differ between `cases`, in the order of the first case that has them.
std::vector<std::string> extra_axes_of(std::span<const nlohmann::ordered_json> cases);

/// The axes that have no column, neither of their own nor as one that differs, with the one value that they have.
nlohmann::ordered_json shared_axes_of(std::span<const nlohmann::ordered_json> cases);

}  // namespace cpbench
