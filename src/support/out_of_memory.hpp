// Memory that ran out where nobody can be told politely.
#pragma once

#include <new>
#include <string>

namespace cpbench {

/// On this rank, in the middle of something that other ranks may be waiting for: ends the job, with kPlacement.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(const std::string& doing) : message_("out of memory while " + doing) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace cpbench
