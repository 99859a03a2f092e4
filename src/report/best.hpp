// Which configuration is the fastest, for each combination of some axes, and whether that is more than noise.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/sheet.hpp"
#include "result/record.hpp"

namespace cpbench {

/// A row for each combination of the values of `axes` that occurs, in the order of the points: those values; the
/// fastest configuration, by the axes in which points differ; its median time and rate; by how much longer the
/// runner-up takes; and the runner-up, by what it has else. `lead` says what that is worth:
/// - `wins`: the quartile ranges of the two lie apart, or their estimates do;
/// - `within the spread`, `within the error`: they do not;
/// - `one sample`: one of the two has no spread that is known;
/// - `alone`, `nothing measured`, `nothing fits`: there is no runner-up, or nothing at all.
/// Throws a usage error for an axis that no point has or that is given twice, where no point has a time, and where the
/// points of a combination compute different things, whose times are no rivals.
Sheet best_of(std::span<const PointRecord> points, const std::vector<std::string>& axes);

}  // namespace cpbench
