// The memory of a program's buffers on one rank.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.hpp"

namespace cpbench {

/// Memory for each buffer of `program`, zeroed. A program and its variants without communication or without compute
/// have the same buffers, so that one set serves executors of all three. Each buffer is an allocation of its own, so
/// that a sanitizer sees an access beyond its end. The problem must outlive the set.
class BufferSet {
 public:
  BufferSet(const Problem& problem, const Program& program, Backend& backend);

  /// The buffers as those of `program`, which must outlive what is returned. Throws std::logic_error where its buffers
  /// are not those of the set.
  ProgramMemory memory_of(const Program& program) const;

 private:
  const Problem* problem_;
  PagedVector<Buffer> buffers_;
  std::vector<std::unique_ptr<DeviceMemory>> allocations_;  ///< by BufferId; null for a buffer of no bytes
};

}  // namespace cpbench
