// What registers itself from static objects of its own files, so that adding one touches no other: algorithms, kernels,
// platforms, transports, references.
#pragma once

#include <deque>
#include <map>
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

/// Those that a user calls by name, ascending.
template <typename T>
class NamedRegistry {
 public:
  /// `kind` is what messages call a T: `kernel`.
  explicit NamedRegistry(const char* kind) : kind_(kind) {}

  void add(const std::string& name, T item) {
    if (!all_.emplace(name, std::move(item)).second) {
      throw std::logic_error(std::string("the ") + kind_ + " '" + name + "' is registered twice");
    }
  }
  const std::map<std::string, T, std::less<>>& all() const { return all_; }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, item] : all_) names.push_back(name);
    return names;
  }
  /// Throws a usage error with the nearest known name.
  const T& find(std::string_view name) const {
    const auto found = all_.find(name);
    if (found == all_.end()) refuse_unknown(kind_, name, names());
    return found->second;
  }

 private:
  const char* kind_;
  std::map<std::string, T, std::less<>> all_;
};

}  // namespace cpbench
