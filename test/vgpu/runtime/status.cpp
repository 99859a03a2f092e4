#include "runtime/status.hpp"

#include <cstdlib>
#include <map>
#include <string>
#include <utility>

namespace {

cudaError_t last_error = cudaSuccess;

struct Named {
  cudaError_t error;
  const char *name, *text;
};
constexpr Named kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "the driver is older than the runtime"},
    {cudaErrorPeerAccessUnsupported, "cudaErrorPeerAccessUnsupported",
     "peer access is not supported between these two devices"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorPeerAccessAlreadyEnabled, "cudaErrorPeerAccessAlreadyEnabled", "peer access is already enabled"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "not permitted while a stream is captured"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "the capture has work that was not joined"},
};
const Named& find(cudaError_t error) {
  static constexpr Named kUnknown = {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"};
  for (const Named& named : kErrors) {
    if (named.error == error) return named;
  }
  return kUnknown;
}

}  // namespace

namespace cpbench::vgpu {

cudaError_t status(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

bool is_to_fail(const std::string& call) {
  static std::map<std::string, int> calls;
  const char* const asked = std::getenv("CPBENCH_VGPU_FAIL");
  if (asked == nullptr) return false;
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (rank == nullptr) rank = std::getenv("PMI_RANK");
  const std::string on_rank = call + ":" + (rank == nullptr ? "0" : rank);
  return asked == call || asked == on_rank || asked == on_rank + ":" + std::to_string(++calls[call]);
}

}  // namespace cpbench::vgpu

const char* cudaGetErrorString(cudaError_t error) { return find(error).text; }
const char* cudaGetErrorName(cudaError_t error) { return find(error).name; }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }
