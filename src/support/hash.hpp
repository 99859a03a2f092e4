// Hashes of what lies in memory alone: they need be the same neither on another machine nor in another version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cpbench {

/// Mixes one number after the other.
class Hash {
 public:
  template <typename... Numbers>
  void add(Numbers... numbers) {
    ((value_ = (value_ ^ static_cast<std::uint64_t>(numbers)) * 0x9E3779B97F4A7C15ull, value_ ^= value_ >> 29), ...);
  }
  std::size_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

template <typename... Numbers>
std::size_t hash_of_all(Numbers... numbers) {
  Hash hash;
  hash.add(numbers...);
  return hash.value();
}

/// Of a list, by hash_of(item).
template <typename List>
std::size_t hash_of_list(const List& list) {
  Hash hash;
  for (const auto& item : list) hash.add(hash_of(item));
  return hash.value();
}

}  // namespace cpbench
