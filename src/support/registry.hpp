// What registers itself from static objects of its own files, so that adding one touches no other: algorithms, kernels,
// platforms, transports, references.
#pragma once

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/names.hpp"

namespace cpbench {

/// Everything that has registered as a T, in the order in which it has. A function's static, so that it exists before
/// the first object that registers, in whichever file that is. Addresses stay valid.
template <typename T>
std::deque<T>& registered() {
  static std::deque<T> all;
  return all;
}

/// `const Register<T> kRegistered(...)` in the file of a T.
template <typename T>
class Register {
 public:
  explicit Register(T item) { registered<T>().push_back(std::move(item)); }
};

/// Of T that a user calls by their `name`: ascending.
template <typename T>
std::vector<const T*> registered_by_name() {
  std::vector<const T*> all;
  for (const T& item : registered<T>()) all.push_back(&item);
  std::ranges::sort(all, {}, &T::name);
  const auto twice = std::ranges::adjacent_find(all, {}, &T::name);
  if (twice != all.end()) throw std::logic_error("'" + (*twice)->name + "' is registered twice");
  return all;
}

template <typename T>
std::vector<std::string> registered_names() {
  std::vector<std::string> names;
  for (const T* item : registered_by_name<T>()) names.push_back(item->name);
  return names;
}

/// Throws a usage error with the nearest known name. `kind` is what messages call a T: `kernel`.
template <typename T>
const T& find_registered(const char* kind, std::string_view name) {
  const std::vector<const T*> all = registered_by_name<T>();
  const auto found = std::ranges::find(all, name, &T::name);
  if (found == all.end()) refuse_unknown(kind, name, registered_names<T>());
  return **found;
}

}  // namespace cpbench
