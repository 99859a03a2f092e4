// Points that cannot be: what could be changed about them, and the nearest change that makes them legal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/axes/axis_value.hpp"
#include "support/error.hpp"

namespace cpbench {

/// An axis whose value could be another as far as one rule goes; further rules may forbid some of the candidates.
struct Remedy {
  Axis axis;
  std::int64_t asked;
  std::vector<std::int64_t> candidates;  ///< ascending; {1} for a flag that would help
};

/// Thrown where a rule is broken. The message has the rule and the values.
class Impossible : public Error {
 public:
  Impossible(const std::string& message, std::vector<Remedy> remedies)
      : Error(ExitCode::kUsage, message), remedies_(std::move(remedies)) {}
  const std::vector<Remedy>& remedies() const { return remedies_; }

 private:
  std::vector<Remedy> remedies_;
};

template <typename... Args>
[[noreturn]] void refuse_point(std::vector<Remedy> remedies, fmt::format_string<Args...> format, Args&&... args) {
  throw Impossible(fmt::format(format, std::forward<Args>(args)...), std::move(remedies));
}

/// Ascending.
std::vector<std::int64_t> divisors_of(std::int64_t n);

/// The multiples of `unit` right below and right above `asked`, without 0.
std::vector<std::int64_t> multiples_around(std::int64_t asked, std::int64_t unit);

/// `; nearest legal heads: 7 or 14, nearest legal cp_size: 5, or --uneven-heads`: of each remedy the candidates closest
/// below and above that are in the axis's range and `is_legal`. Empty if there are none.
std::string legal_choices(const std::vector<Remedy>& remedies,
                          const std::function<bool(Axis, const AxisValue&)>& is_legal);

/// Where no change by itself makes the point legal, the closest that the broken rule would allow, in the same form.
std::string choices_by_one_rule(const std::vector<Remedy>& remedies);

}  // namespace cpbench
