// One point of a sweep: what was asked, and what it means once every default is applied.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "cli/axes/axis_value.hpp"
#include "schedule/case.hpp"

namespace cpbench {

/// At most one value per axis, as they were asked.
class PointSpec {
 public:
  bool has(Axis axis) const { return !at(axis).is_null(); }
  const AxisValue& at(Axis axis) const { return values_[static_cast<std::size_t>(axis)]; }
  /// `where`: the place that gave the value, for messages.
  void set(Axis axis, AxisValue value, std::string where = {}) {
    values_[static_cast<std::size_t>(axis)] = std::move(value);
    places_[static_cast<std::size_t>(axis)] = std::move(where);
  }
  /// `sweep.json: /include/0/docs`, or the axis' flag.
  std::string where(Axis axis) const;
  /// Takes over every value that `other` has.
  void override_with(const PointSpec& other);

  /// The value of an axis whose default the table can state: what was asked, else that default.
  AxisValue value(Axis axis) const;
  std::int64_t integer(Axis axis) const { return value(axis).get<std::int64_t>(); }
  std::string word(Axis axis) const { return value(axis).get<std::string>(); }
  bool is_on(Axis axis) const;  ///< of a flag or a switch

  /// The value of an axis whose default depends on others.
  std::int64_t integer_or(Axis axis, std::int64_t otherwise) const;
  std::string word_or(Axis axis, std::string_view otherwise) const;

  bool operator==(const PointSpec& other) const { return values_ == other.values_; }

 private:
  std::array<AxisValue, kAxisCount> values_;
  std::array<std::string, kAxisCount> places_;
};

/// What defaults depend on besides the point itself.
struct ResolveContext {
  int world_size = 1;              ///< default of cp_size, and the most that it may be
  bool cp_size_is_bounded = true;  ///< false for `plan`, which runs nothing
  int ranks_per_node = 0;          ///< 0: all ranks are on one node
  std::uint64_t seed = 1;          ///< for documents that are drawn from a histogram
};

struct ResolvedPoint {
  Case of;
  /// Every axis by name, in the order of the table, with the value that holds: `case` of a result file. Axes that the
  /// algorithm ignores have the value that the others would need for the same program (window_size 1, say), so points
  /// that mean the same have equal axes. Read as a config's point, it gives itself back.
  Json axes;
};

/// Every axis, as far as it is known, of a point that may be impossible: of the grid only what was asked and is not
/// ignored.
Json known_axes(const PointSpec& spec, const ResolveContext& context);

/// Of resolved axes, all or some of them, those that a reader of a result must know: what its size is made of, and what
/// differs from its default. What is no axis of a sweep, as result files have besides, has none.
Json noteworthy(const Json& axes);

/// Throws a usage error that names the rule, the values and the nearest legal choice if the point is impossible.
ResolvedPoint resolve(const PointSpec& spec, const ResolveContext& context);

}  // namespace cpbench
