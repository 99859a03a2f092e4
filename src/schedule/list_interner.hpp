// Lists of which a program has many equal ones.
#pragma once

#include <algorithm>
#include <unordered_map>

#include "schedule/program.hpp"
#include "support/hash.hpp"

namespace cpbench {

/// Appends lists of T to a pool, equal ones once. There is a function hash_of(const T&).
template <typename T>
class ListInterner {
 public:
  /// Where `list`, which is no part of the pool, lies in it. The pool must be the same every time.
  template <typename Pool, typename List>
  Slice add(Pool& pool, const List& list) {
    const std::size_t hash = hash_of_list(list);
    const auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      const Slice slice = it->second;
      const auto stored = std::as_const(pool).begin() + slice.begin;
      if (std::equal(list.begin(), list.end(), stored, stored + slice.count)) return slice;
    }
    const Slice slice{static_cast<std::uint32_t>(pool.size()), static_cast<std::uint32_t>(std::ranges::size(list))};
    pool.insert(pool.end(), list.begin(), list.end());
    known_.emplace(hash, slice);
    return slice;
  }

 private:
  std::unordered_multimap<std::size_t, Slice> known_;
};

}  // namespace cpbench
