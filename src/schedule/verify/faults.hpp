// What the checks report, and how they name things.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench::verification {

/// The first few faults. One planted fault often breaks thousands of things: more of them would only hide it.
class Faults {
 public:
  bool none() const { return messages_.empty(); }
  bool full() const { return messages_.size() >= kMost; }
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    if (!full()) messages_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  void add_all(std::vector<std::string> messages) {
    for (std::string& message : messages) {
      if (!full()) messages_.push_back(std::move(message));
    }
  }
  std::vector<std::string> take() { return std::move(messages_); }

 private:
  static constexpr std::size_t kMost = 5;
  std::vector<std::string> messages_;
};

/// `rank 3, op 17 (attend 4)`.
std::string describe(int rank, const Program& program, OpId op);
/// `kv (buffer 5), rows [0, 128), heads [0, 8)`.
std::string describe(const Program& program, const Region& region);

}  // namespace cpbench::verification
