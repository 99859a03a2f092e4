// The queues of a GPU: a CUDA stream for each stream of a program, events, and graphs by stream capture.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "backend/cuda/runtime.hpp"
#include "backend/device_queues.hpp"

namespace cpbench {

class CudaEvent {
 public:
  enum class Timing : std::uint8_t { kOff, kOn };
  explicit CudaEvent(Timing timing = Timing::kOff);
  ~CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  cudaEvent_t handle() const { return handle_; }
  void record(cudaStream_t stream) const;
  bool is_done() const;  ///< or was never recorded

 private:
  cudaEvent_t handle_ = nullptr;
};

/// Of the current device.
class CudaQueues : public DeviceQueues {
 public:
  /// Without `graphs`, record() makes none.
  explicit CudaQueues(bool graphs);
  ~CudaQueues() override;
  CudaQueues(const CudaQueues&) = delete;
  CudaQueues& operator=(const CudaQueues&) = delete;

  /// Where a part of an operation is queued (DeviceBranches), its branch.
  cudaStream_t stream(Stream stream) const { return streams_[static_cast<std::size_t>(stream)]; }

  std::unique_ptr<DeviceMark> make_mark(const std::string& label) override;
  std::unique_ptr<DeviceBranches> make_branches(std::size_t parts) override;
  std::unique_ptr<DeviceGraph> record(const std::function<void()>& issue) override;
  std::string graph_obstacle() const override { return graph_obstacle_; }
  void forgo_graphs() override { graphs_ = false; }

 private:
  class Branches;
  class Mark;
  class Graph;

  cudaStream_t origin() const { return stream(Stream::kCompute); }
  void fork() const;
  void join() const;
  cudaGraph_t capture(const std::function<void()>& issue);
  /// When a recorded event that is done happened, by the host's clock.
  std::int64_t time_of(const CudaEvent& event);
  void align_clocks();

  bool graphs_;
  std::string graph_obstacle_;
  bool capturing_ = false;
  std::array<cudaStream_t, kStreams> streams_{};
  std::array<CudaEvent, kStreams> joints_;  ///< of streams that join a capture

  CudaEvent reference_{CudaEvent::Timing::kOn};
  std::int64_t reference_ns_ = 0;
  bool aligned_ = false;  ///< since something was queued last
};

}  // namespace cpbench
