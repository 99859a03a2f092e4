#include "backend/cuda/queues.hpp"

#include <nvtx3/nvToolsExt.h>

#include <cmath>
#include <deque>
#include <utility>

#include "support/clock.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

/// Streams of communication have a higher priority than the one that computes.
cudaStream_t make_stream(Stream stream) {
  int least = 0, greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
  cudaStream_t made = nullptr;
  check(cudaStreamCreateWithPriority(&made, cudaStreamNonBlocking, stream == Stream::kCompute ? least : greatest),
        "cudaStreamCreateWithPriority");
  return made;
}

void wait(cudaStream_t stream, const CudaEvent& event) {
  check(cudaStreamWaitEvent(stream, event.handle()), "cudaStreamWaitEvent");
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
  void make_wait(Stream stream) override { wait(queues_.stream(stream), done_); }
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

/// By events, which a capture follows into the branches and out again. While a part is queued, its branch stands for
/// the stream.
class CudaQueues::Branches : public DeviceBranches {
 public:
  Branches(CudaQueues& queues, std::size_t parts) : queues_(queues) {
    for (std::size_t i = 0; i < kStreams; ++i) {
      const auto stream = static_cast<Stream>(i);
      while (stream != Stream::kCompute && branches_[i].size() + 1 < parts) branches_[i].emplace_back(stream);
    }
  }

  void queue(Stream stream, std::span<const std::function<void()>> parts) override {
    if (parts.empty()) return;
    const std::size_t beside = parts.size() - 1;
    const cudaStream_t trunk = queues_.stream(stream);
    auto& branches = branches_[static_cast<std::size_t>(stream)];
    if (beside > 0) fork_.record(trunk);
    for (std::size_t i = 0; i < beside; ++i) {
      wait(branches.at(i).stream, fork_);
      const Detour detour(queues_, stream, branches[i].stream);
      parts[i]();
    }
    parts.back()();
    for (std::size_t i = 0; i < beside; ++i) {
      branches[i].join.record(branches[i].stream);
      wait(trunk, branches[i].join);
    }
  }

 private:
  struct Branch {
    explicit Branch(Stream beside) : stream(make_stream(beside)) {}
    ~Branch() { cudaStreamDestroy(stream); }
    Branch(const Branch&) = delete;
    Branch& operator=(const Branch&) = delete;
    cudaStream_t stream;
    CudaEvent join;
  };
  class Detour {
   public:
    Detour(CudaQueues& queues, Stream stream, cudaStream_t branch)
        : place_(queues.streams_[static_cast<std::size_t>(stream)]), trunk_(std::exchange(place_, branch)) {}
    ~Detour() { place_ = trunk_; }
    Detour(const Detour&) = delete;
    Detour& operator=(const Detour&) = delete;

   private:
    cudaStream_t& place_;
    cudaStream_t trunk_;
  };

  CudaQueues& queues_;
  std::array<std::deque<Branch>, kStreams> branches_;  ///< by Stream
  CudaEvent fork_;
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
  for (std::size_t i = 0; i < kStreams; ++i) streams_[i] = make_stream(static_cast<Stream>(i));
}

CudaQueues::~CudaQueues() {
  for (const cudaStream_t stream : streams_) {
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
}

std::unique_ptr<DeviceMark> CudaQueues::make_mark(const std::string& label) {
  return std::make_unique<Mark>(*this, label);
}

std::unique_ptr<DeviceBranches> CudaQueues::make_branches(std::size_t parts) {
  return std::make_unique<Branches>(*this, parts);
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
    if (stream != origin()) wait(stream, joints_[0]);
  }
}

void CudaQueues::join() const {
  for (std::size_t i = 0; i < kStreams; ++i) {
    if (streams_[i] == origin()) continue;
    joints_[i].record(streams_[i]);
    wait(origin(), joints_[i]);
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
