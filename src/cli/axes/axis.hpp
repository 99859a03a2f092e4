// The axes of a sweep: the one table that flags, config files, result files and help texts read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

/// In the order of the table, which is also the order in which a sweep varies them: the first one slowest.
enum class Axis : std::uint8_t {
  kAlgo,
  kCpSize,
  kUlyssesDegree,
  kWindowSize,
  kRankOrder,
  kShard,
  kModel,
  kSeqLen,
  kBatch,
  kHeads,
  kKvHeads,
  kHeadDim,
  kHeadDimV,
  kTensorParallel,
  kSink,
  kUnevenHeads,
  kDtype,
  kMask,
  kDocs,
  kLayout,
  kPass,
  kScale,
  kOverlap,
  kPrune,
  kKvParts,
  kAccumulate,
};
inline constexpr std::size_t kAxisCount = 26;

enum class AxisKind : std::uint8_t {
  kInteger,    ///< a whole number within [smallest, largest], a multiple of `unit`
  kReal,       ///< a positive finite number
  kFlag,       ///< a bare flag on the command line; true or false in JSON
  kSwitch,     ///< `on` or `off`
  kWord,       ///< a text that `canonical` reads
  kDocuments,  ///< a list of lengths, the name of a histogram file, or `none`
};

struct AxisInfo {
  Axis axis;
  std::string_view name;  ///< as in config and result files: `cp_size`
  AxisKind kind;
  std::string values;         ///< what may be given, for help texts
  std::string_view fallback;  ///< the default, in words
  std::string_view meaning;
  /// Words only: the one spelling of a value; throws a usage error for a text that is none.
  std::string (*canonical)(std::string_view word) = nullptr;
  /// Integers only.
  std::int64_t smallest = 1;
  std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  std::int64_t unit = 1;  ///< values are multiples of it

  std::string flag() const;  ///< `--cp-size`
};

/// All axes, indexed by Axis.
std::span<const AxisInfo> all_axes();
const AxisInfo& info_of(Axis axis);
/// The axis of that name, or nullptr.
const AxisInfo* find_axis(std::string_view name);
/// Every name, for "did you mean".
std::vector<std::string> axis_names();

}  // namespace cpbench
