// Device memory that operations need beside a program's buffers: their work lists, and workspaces.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "backend/cuda/attention.hpp"
#include "backend/cuda/memory.hpp"

namespace cpbench {

/// A work list in device memory, and the counter that a launch takes its items from.
class DeviceWorkList {
 public:
  DeviceWorkList(const PreparedWork& work, std::shared_ptr<CudaMemory> memory);

  DeviceWork work() const { return work_; }
  std::int32_t* counter() const;

 private:
  std::shared_ptr<CudaMemory> memory_;
  DeviceWork work_;
};

/// Operations of a stream run one after the other, so those with equal lists have one, and all have one workspace.
class OperationMemory {
 public:
  DeviceWorkList list(Stream stream, const PreparedWork& work);
  /// `bytes` of a workspace with room for every operation that the program has on the stream.
  std::shared_ptr<CudaMemory> workspace(Stream stream, std::int64_t bytes, const ProgramMemory& memory);

  /// What all operations of a program come to. `memory` may have null buffers.
  static std::int64_t bytes_for(const CudaDevice& device, const ProgramMemory& memory);

 private:
  struct OfStream {
    std::map<std::string, std::shared_ptr<CudaMemory>> lists;  ///< by what they hold
    std::shared_ptr<CudaMemory> workspace;
  };
  std::array<OfStream, kStreams> of_;
};

}  // namespace cpbench
