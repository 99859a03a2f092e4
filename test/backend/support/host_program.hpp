// A program of one rank that grows as a test goes, with its buffers in memory: operations run through the CPU backend
// as the executor would run them.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cpu/cpu_backend.hpp"

namespace cpbench::test {

class HostProgram {
 public:
  HostProgram(const Problem& problem, const std::string& kernel, int threads)
      : backend_(kernel, threads), problem_(problem) {
    memory_.problem = &problem_;
    memory_.program = &program_;
  }
  HostProgram(const HostProgram&) = delete;
  HostProgram& operator=(const HostProgram&) = delete;

  /// Memory is filled with NaN, so that what is read before it is written shows.
  BufferId add(const Buffer& buffer) {
    const std::int64_t bytes = buffer.bytes(problem_.batch);
    blocks_.push_back(backend_.allocate(bytes));
    std::fill_n(blocks_.back()->data(), bytes, std::byte{0xff});
    program_.buffers.push_back(buffer);
    memory_.buffers.push_back(blocks_.back()->data());
    return static_cast<BufferId>(program_.buffers.size() - 1);
  }
  Slice add_tiles(std::span<const Tile> tiles) {
    const Slice slice{static_cast<std::uint32_t>(program_.tiles.size()), static_cast<std::uint32_t>(tiles.size())};
    program_.tiles.insert(program_.tiles.end(), tiles.begin(), tiles.end());
    return slice;
  }
  BufferView view(BufferId id) const { return memory_.view(id); }
  Region whole(BufferId id) const { return program_.whole(id); }
  std::int64_t bytes(BufferId id) const { return program_.buffer(id).bytes(problem_.batch); }

  template <typename Operation>
  void run(
      const Operation& operation, const std::function<void()>& poll = [] {}) {
    const Op op{.action = operation, .label = {"test"}, .stream = Stream::kCompute};
    backend_.prepare(op, memory_)(poll);
  }

 private:
  CpuBackend backend_;
  Problem problem_;
  Program program_;
  ProgramMemory memory_;
  std::vector<std::unique_ptr<DeviceMemory>> blocks_;
};

}  // namespace cpbench::test
