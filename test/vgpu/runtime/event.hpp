// Events.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "runtime/capture.hpp"
#include "runtime/operation.hpp"
#include "vgpu/runtime.hpp"

namespace cpbench::vgpu {

/// Of an event that processes share: how often it was recorded, and how many of these records are done.
struct SharedEvent {
  std::atomic<std::uint64_t> recorded, done;
};

}  // namespace cpbench::vgpu

struct CUevent_st {  // NOLINT(readability-identifier-naming): CUDA's name
  /// The last record: an operation, or places in a graph that is captured.
  cpbench::vgpu::OperationPtr operation;
  std::shared_ptr<cpbench::vgpu::Capture> capture;
  std::vector<cpbench::vgpu::Capture::Node> nodes;

  /// When the record was done.
  std::shared_ptr<std::chrono::steady_clock::time_point> time;
  bool has_time = true;

  cpbench::vgpu::SharedEvent* shared = nullptr;
  bool opened = false;  ///< from another process
};
