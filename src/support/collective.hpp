// What the ranks of a group tell each other, whatever carries it.
#pragma once

#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace cpbench {

/// Every function but rank() and size() is called by all ranks in the same order.
class Collective {
 public:
  virtual ~Collective() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Everybody's value by rank.
  template <typename T>
  std::vector<T> allgather(const T& value) const {
    static_assert(std::is_trivially_copyable_v<T>, "values are moved as bytes");
    const std::vector<int> ones(static_cast<std::size_t>(size()), 1);
    std::vector<T> all(ones.size());
    allgather_elements(&value, ones, sizeof(T), all.data());
    return all;
  }
  /// Everybody's values by rank; how many may differ. `List`: a vector or a string.
  template <typename List>
  std::vector<List> allgatherv(const List& values) const {
    using T = typename List::value_type;
    static_assert(std::is_trivially_copyable_v<T>, "elements are moved as bytes");
    const std::vector<int> counts = allgather(to_count(values.size()));
    std::vector<T> all(static_cast<std::size_t>(to_count(std::accumulate(counts.begin(), counts.end(), 0ULL))));
    allgather_elements(values.data(), counts, sizeof(T), all.data());
    std::vector<List> by_rank;
    for (auto next = all.begin(); const int count : counts) {
      by_rank.emplace_back(next, next + count);
      next += count;
    }
    return by_rank;
  }

  /// Replaces each element by its sum over ranks, added up in their order: the same bits on all of them and every time.
  virtual void sum(std::span<double> values) const = 0;
  /// Replaces each element by its maximum over ranks.
  virtual void max(std::span<double> values) const = 0;

 protected:
  static int to_count(std::size_t count) {
    if (count <= static_cast<std::size_t>(std::numeric_limits<int>::max())) return static_cast<int>(count);
    throw std::logic_error("a collective operation of the driver moves 2^31 elements or more");
  }

 private:
  /// `counts` by rank, the same on all; `mine` has this one's, and `all` takes those of each rank one after the other.
  virtual void allgather_elements(const void* mine, const std::vector<int>& counts, std::size_t element_bytes,
                                  void* all) const = 0;
};

}  // namespace cpbench
