#include "backend/cuda/queues.hpp"

#include <nvtx3/nvToolsExt.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "support/error.hpp"

namespace cpbench {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

CudaEvent::CudaEvent(Timing timing) {
  const unsigned flags = timing == Timing::kOn ? cudaEventDefault : cudaEventDisableTiming;
  check(cudaEventCreateWithFlags(&handle_, flags), "cudaEventCreateWithFlags");
}
CudaEvent::~CudaEvent() { cudaEventDestroy(handle_); }

void CudaEvent::record(cudaStream_t stream) const { check(cudaEventRecord(handle_, stream), "cudaEventRecord"); }

bool CudaEvent::is_done() const {
  const cudaError_t status = cudaEventQuery(handle_);
  if (status == cudaErrorNotReady) return false;
  check(status, "cudaEventQuery");
  return true;
}

/// Dependencies have an event of their own: one that a graph records cannot be waited for within it. What is queued
/// between begin and end is in an NVTX range of the operation's name, also while a graph is recorded.
class CudaQueues::Mark : public DeviceMark {
 public:
  Mark(CudaQueues& queues, std::string label) : queues_(queues), label_(std::move(label)) {}

  void begin(Stream stream) override {
    nvtxRangePushA(label_.c_str());
    stamp(begin_, stream);
  }
  void end(Stream stream) override {
    nvtxRangePop();
    stamp(end_, stream);
    done_.record(queues_.stream(stream));
    queues_.aligned_ = false;
  }
  void make_wait(Stream stream) override {
    check(cudaStreamWaitEvent(queues_.stream(stream), done_.handle()), "cudaStreamWaitEvent");
  }
  bool is_done() override { return done_.is_done(); }
  Interval interval() const override { return {queues_.time_of(begin_), queues_.time_of(end_)}; }

 private:
  void stamp(const CudaEvent& event, Stream stream) const {
    const unsigned flags = queues_.capturing_ ? cudaEventRecordExternal : cudaEventRecordDefault;
    check(cudaEventRecordWithFlags(event.handle(), queues_.stream(stream), flags), "cudaEventRecordWithFlags");
  }

  CudaQueues& queues_;
  std::string label_;
  CudaEvent begin_{CudaEvent::Timing::kOn}, end_{CudaEvent::Timing::kOn}, done_{CudaEvent::Timing::kOff};
};

class CudaQueues::Graph : public DeviceGraph {
 public:
  Graph(CudaQueues& queues, cudaGraph_t graph) : queues_(queues) {
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(status, "cudaGraphInstantiate");
    check(cudaGraphUpload(executable_, queues_.origin()), "cudaGraphUpload");  // else the first launch does it
  }
  ~Graph() override { cudaGraphExecDestroy(executable_); }
  void launch() override {
    check(cudaGraphLaunch(executable_, queues_.origin()), "cudaGraphLaunch");
    done_.record(queues_.origin());
    queues_.aligned_ = false;
  }
  bool is_done() override { return done_.is_done(); }

 private:
  CudaQueues& queues_;
  cudaGraphExec_t executable_ = nullptr;
  CudaEvent done_{CudaEvent::Timing::kOff};
};

CudaQueues::CudaQueues(bool graphs) : graphs_(graphs) {
  int least = 0, greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
  for (std::size_t i = 0; i < kStreams; ++i) {
    const int priority = static_cast<Stream>(i) == Stream::kCompute ? least : greatest;
    check(cudaStreamCreateWithPriority(&streams_[i], cudaStreamNonBlocking, priority), "cudaStreamCreateWithPriority");
  }
}

CudaQueues::~CudaQueues() {
  for (const cudaStream_t stream : streams_) {
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
}

std::unique_ptr<DeviceMark> CudaQueues::make_mark(const std::string& label) {
  return std::make_unique<Mark>(*this, label);
}

std::unique_ptr<DeviceGraph> CudaQueues::record(const std::function<void()>& issue) {
  if (!graphs_) return nullptr;
  try {
    return std::make_unique<Graph>(*this, capture(issue));
  } catch (const Error& error) {  // what ails more than graphs is met again when the work is queued
    cudaGetLastError();
    graph_obstacle_ = error.what();
    forgo_graphs();
    return nullptr;
  }
}

cudaGraph_t CudaQueues::capture(const std::function<void()>& issue) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(origin(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  capturing_ = true;
  try {
    fork();
    issue();
    join();
  } catch (...) {
    capturing_ = false;
    if (cudaStreamEndCapture(origin(), &graph) == cudaSuccess) cudaGraphDestroy(graph);
    throw;
  }
  capturing_ = false;
  check(cudaStreamEndCapture(origin(), &graph), "cudaStreamEndCapture");
  return graph;
}

void CudaQueues::fork() const {
  joints_[0].record(origin());
  for (const cudaStream_t stream : streams_) {
    if (stream != origin()) check(cudaStreamWaitEvent(stream, joints_[0].handle()), "cudaStreamWaitEvent");
  }
}

void CudaQueues::join() const {
  for (std::size_t i = 0; i < kStreams; ++i) {
    if (streams_[i] == origin()) continue;
    joints_[i].record(streams_[i]);
    check(cudaStreamWaitEvent(origin(), joints_[i].handle()), "cudaStreamWaitEvent");
  }
}

/// The reference is recorded anew after whatever was queued: the clocks drift, and elapsed times are 32-bit floats. It
/// happened between the two readings of the host's clock, so they should be near each other.
void CudaQueues::align_clocks() {
  constexpr int kTries = 10;
  constexpr std::int64_t kNear = 20'000;
  for (int tries = 0; !aligned_; ++tries) {
    const std::int64_t before = now_ns();
    reference_.record(origin());
    check(cudaEventSynchronize(reference_.handle()), "cudaEventSynchronize");
    const std::int64_t duration = now_ns() - before;
    reference_ns_ = before + duration / 2;
    aligned_ = duration < kNear || tries == kTries;
  }
}

std::int64_t CudaQueues::time_of(const CudaEvent& event) {
  align_clocks();
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, event.handle(), reference_.handle()), "cudaEventElapsedTime");
  return reference_ns_ - std::llround(double{milliseconds} * 1e6);
}

}  // namespace cpbench
