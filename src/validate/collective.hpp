// What the checker needs of other ranks.
#pragma once

#include <span>
#include <vector>

namespace cpbench {

/// Every function but rank() and size() is called by all ranks in the same order.
class Collective {
 public:
  virtual ~Collective() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Everybody's values by rank; lengths may differ.
  virtual std::vector<std::vector<double>> allgather(std::span<const double> values) = 0;
  /// Replaces each element by its sum or maximum over ranks. Made from allgather here; a transport may know better.
  virtual void sum(std::span<double> values);
  virtual void max(std::span<double> values);
};

}  // namespace cpbench
