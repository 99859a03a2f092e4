// Streams, events and host functions.
#include "runtime/engine.hpp"
#include "runtime/event.hpp"
#include "runtime/memory_actions.hpp"
#include "runtime/status.hpp"
#include "vgpu/forget.hpp"

namespace cpbench::vgpu {
namespace {

/// Where an event was recorded.
class Record : public Action {
 public:
  explicit Record(const CUevent_st& event) : time_(event.time), shared_(event.shared) {}
  void begin(const Operation&) override {
    *time_ = std::chrono::steady_clock::now();
    if (shared_ != nullptr) ++shared_->done;
  }
  std::string describe() const override { return "the record of an event"; }

 private:
  std::shared_ptr<std::chrono::steady_clock::time_point> time_;
  SharedEvent* shared_;
};

/// A record that a graph makes whenever it is launched: nothing in the graph can wait for it, the host can.
class RecordOfGraph : public Action {
 public:
  explicit RecordOfGraph(CUevent_st& event) : event_(event) {}
  void begin(const Operation&) override {
    auto done = std::make_shared<QueuedOperation>();
    done->state = QueuedOperation::State::kDone;
    event_.operation = std::move(done);
    event_.capture = nullptr;
    event_.time = std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::steady_clock::now());
  }
  std::string describe() const override { return "the record of an event by a graph"; }

 private:
  CUevent_st& event_;
};

/// Waits for the records of an event that there were when the wait was queued, wherever they were made.
class WaitForShared : public Action {
 public:
  explicit WaitForShared(SharedEvent& event) : event_(&event), until_(event.recorded) {}
  bool ready() override { return event_->done >= until_; }
  void begin(const Operation&) override {}
  std::string describe() const override { return "a wait for another process's event"; }

 private:
  SharedEvent* event_;
  std::uint64_t until_;
};

bool is_done(const OperationPtr& operation) {
  return operation == nullptr || operation->state == QueuedOperation::State::kDone;
}

bool is_done(const CUevent_st& event) {
  if (event.opened) return event.shared->done >= event.shared->recorded;
  return is_done(event.operation);
}

int waits = 0, forgotten = -1;

}  // namespace

void forget_wait_after(int number) {
  waits = 0;
  forgotten = number;
}
int waits_queued() { return waits; }

}  // namespace cpbench::vgpu

using namespace cpbench::vgpu;

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  *stream = engine().create_stream((flags & cudaStreamNonBlocking) == 0, priority);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (is_to_fail("cudaStreamCreateWithFlags")) return status(cudaErrorMemoryAllocation);
  return cudaStreamCreateWithPriority(stream, flags, 0);
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithPriority(stream, cudaStreamDefault, 0);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  engine().destroy_stream(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  Stream& found = engine().find(stream);
  if (found.capture != nullptr) return status(cudaErrorStreamCaptureUnsupported);
  engine().finish(found);
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  engine().refuse_in_capture("cudaStreamQuery");
  engine().progress();
  if (is_to_fail("cudaStreamQuery")) return status(cudaErrorNotReady);
  const OperationPtr last = engine().find(stream).last;
  if (!is_done(last)) return status(cudaErrorNotReady);
  engine().finish(last);  // the host knows of it from now on
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  engine().refuse_in_capture("cudaDeviceSynchronize");
  engine().finish_all();
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  engine().enqueue(engine().find(stream), make_host_call(function, data));
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  *event = new CUevent_st;
  (*event)->has_time = (flags & cudaEventDisableTiming) == 0;
  if ((flags & cudaEventInterprocess) == 0) return cudaSuccess;
  void* memory = nullptr;
  if (cudaMallocHost(&memory, sizeof(SharedEvent)) != cudaSuccess) return cudaErrorMemoryAllocation;
  (*event)->shared = new (memory) SharedEvent{};
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event->shared != nullptr) event->opened ? cudaIpcCloseMemHandle(event->shared) : cudaFreeHost(event->shared);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  Stream& stream = engine().find(handle);
  event->time = std::make_shared<std::chrono::steady_clock::time_point>();
  event->capture = stream.capture;
  if (event->shared != nullptr) ++event->shared->recorded;
  event->operation = engine().enqueue(stream, std::make_shared<Record>(*event));
  if (stream.capture != nullptr) event->nodes = stream.capture->frontier(stream);
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t handle, unsigned flags) {
  if (flags == cudaEventRecordDefault) return cudaEventRecord(event, handle);
  Stream& stream = engine().find(handle);
  if (flags != cudaEventRecordExternal || stream.capture == nullptr) return status(cudaErrorInvalidValue);
  engine().enqueue(stream, std::make_shared<RecordOfGraph>(*event));
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  if (waits++ == forgotten) return cudaSuccess;
  Stream& stream = engine().find(handle);
  if (event->opened) {
    engine().enqueue(stream, std::make_shared<WaitForShared>(*event->shared));
  } else if (event->capture != nullptr) {
    if (event->capture->origin().capture != event->capture) return status(cudaErrorInvalidValue);  // it has ended
    // The stream joins the capture of the event.
    if (stream.capture == nullptr) stream.capture = event->capture;
    if (stream.capture != event->capture) return status(cudaErrorStreamCaptureUnsupported);
    stream.capture->wait(stream, event->nodes);
  } else if (stream.capture != nullptr) {
    return status(cudaErrorStreamCaptureUnsupported);
  } else if (event->operation != nullptr) {
    engine().enqueue(stream, make_marker("a wait for an event"), {event->operation});
  }
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->capture != nullptr) return status(cudaErrorStreamCaptureUnsupported);
  if (!event->opened) {
    engine().finish(event->operation);
    return cudaSuccess;
  }
  while (!is_done(*event)) engine().progress();
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  engine().refuse_in_capture("cudaEventQuery");
  engine().progress();
  if (!is_done(*event)) return status(cudaErrorNotReady);
  engine().finish(event->operation);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  for (const cudaEvent_t event : {begin, end}) {
    if (!event->has_time || event->operation == nullptr) return status(cudaErrorInvalidResourceHandle);
    if (!is_done(*event)) return status(cudaErrorNotReady);
  }
  *milliseconds = std::chrono::duration<float, std::milli>(*end->time - *begin->time).count();
  return cudaSuccess;
}
