// Graphs by stream capture.
#include <utility>

#include "runtime/capture.hpp"
#include "runtime/engine.hpp"
#include "runtime/status.hpp"

// NOLINTBEGIN(readability-identifier-naming): CUDA's names
struct CUgraph_st {
  std::shared_ptr<const cpbench::vgpu::Capture> capture;
};
struct CUgraphExec_st {
  std::shared_ptr<const cpbench::vgpu::Capture> capture;
  std::vector<cpbench::vgpu::Stream*> streams;
};
// NOLINTEND(readability-identifier-naming)

using namespace cpbench::vgpu;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  Stream& stream = engine().find(handle);
  if (is_to_fail("cudaStreamBeginCapture")) return status(cudaErrorUnknown);
  if (stream.id == 0 || stream.capture != nullptr) return status(cudaErrorStreamCaptureUnsupported);
  stream.capture = std::make_shared<Capture>(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  Stream& stream = engine().find(handle);
  *graph = nullptr;
  if (stream.capture == nullptr || &stream.capture->origin() != &stream) return status(cudaErrorInvalidValue);
  const std::shared_ptr<Capture> capture = stream.capture;
  stream.capture = nullptr;
  for (Stream* joined : capture->streams()) joined->capture = nullptr;
  if (!capture->is_joined()) return status(cudaErrorStreamCaptureUnjoined);
  *graph = new CUgraph_st{capture};
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* capture_status) {
  const bool captures = engine().find(handle).capture != nullptr;
  *capture_status = captures ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = nullptr;
  if (is_to_fail("cudaGraphInstantiate")) return status(cudaErrorUnknown);
  *executable = new CUgraphExec_st{graph->capture, {}};
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (is_to_fail("cudaGraphLaunch")) return status(cudaErrorUnknown);
  executable->capture->launch(engine().find(stream), executable->streams);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  engine().finish_all();
  delete executable;
  return cudaSuccess;
}
