// What `--resume` keeps of a result that an earlier job left: its finished points of the same sweep.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "result/json.hpp"
#include "result/record.hpp"

namespace cpbench {

struct KeptPoints {
  std::set<std::size_t> indices;     ///< in the sweep
  std::vector<PointRecord> records;  ///< as record_of reads them
  std::vector<Json> points;          ///< the same, whole
  std::vector<Json> makers;          ///< for Header::resumed
  std::vector<std::string> notes;    ///< what was not alike, though times may depend on it
};

/// Of the lines of `result`, or of itself where there are none; nothing where there is neither. `sweep`: what is known
/// of each point before it is run. `header`: this job's. `measured`: points without times are not finished. Throws a
/// usage error where the file is of another program, machine or sweep, so that its points cannot stand beside new ones.
KeptPoints kept_points(const std::string& result, const std::vector<PointRecord>& sweep, const Header& header,
                       bool measured);

}  // namespace cpbench
