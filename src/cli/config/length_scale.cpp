#include <algorithm>
#include <cmath>

#include "cli/config/sweep.hpp"
#include "problem/documents.hpp"
#include "support/error.hpp"
#include "support/naming.hpp"

namespace cpbench {
namespace {

std::int64_t scaled(std::int64_t length, double factor) {
  const double product = std::floor(static_cast<double>(length) * factor);
  if (product >= static_cast<double>(Documents::kMaxSeqLen)) {
    refuse("length_scale {}: the length {} becomes longer than {} tokens", factor, length, Documents::kMaxSeqLen);
  }
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(product));
}

// Scales the documents' ends, so that rounding does not add up.
AxisValue scaled_documents(const AxisValue& lengths, double factor) {
  AxisValue result = AxisValue::array();
  std::int64_t end = 0, scaled_end = 0;
  for (const AxisValue& length : lengths) {
    if (length.get<std::int64_t>() > Documents::kMaxSeqLen - end) return lengths;  // refused when it is resolved
    end += length.get<std::int64_t>();
    const std::int64_t next = scaled(end, factor);
    if (next == scaled_end) refuse("length_scale {}: a document of {} tokens vanishes", factor, length.dump());
    result.push_back(next - scaled_end);
    scaled_end = next;
  }
  return result;
}

AxisValue scaled_mask(const AxisValue& text, double factor) {
  Mask mask = parse_mask(text.get<std::string>());
  for (std::int64_t* reach : {&mask.left, &mask.right}) {
    if (*reach != 0 && *reach != Mask::kUnbounded) *reach = scaled(*reach, factor);
  }
  return to_string(mask);
}

// `where`: the place that gave the value, for messages.
void scale(Axis axis, AxisValue& value, double factor, const std::string& where) {
  if (value.is_null()) return;
  naming(where, [&] {
    if (axis == Axis::kSeqLen) value = scaled(value.get<std::int64_t>(), factor);
    if (axis == Axis::kDocs && value.is_array()) value = scaled_documents(value, factor);
    if (axis == Axis::kMask) value = scaled_mask(value, factor);
  });
}

void scale(PointSpec& point, double factor) {
  for (const Axis axis : {Axis::kSeqLen, Axis::kDocs, Axis::kMask}) {
    AxisValue value = point.at(axis);
    scale(axis, value, factor, point.where(axis));
    point.set(axis, std::move(value), point.where(axis));
  }
}

}  // namespace

void scale_lengths(Sweep& sweep, double factor) {
  if (factor == 1) return;  // lengths above 2^53 would be rounded
  scale(sweep.defaults, factor);
  for (const Axis axis : {Axis::kSeqLen, Axis::kDocs, Axis::kMask}) {
    std::vector<AxisValue>& values = sweep.matrix[axis];
    for (std::size_t i = 0; i < values.size(); ++i) {
      scale(axis, values[i], factor, fmt::format("{}: /matrix/{}/{}", sweep.file, info_of(axis).name, i));
    }
  }
  for (PointSpec& point : sweep.include) scale(point, factor);
  for (PointSpec& point : sweep.exclude) scale(point, factor);
}

}  // namespace cpbench
