// Devices: as many as CPBENCH_VGPU_DEVICES says, of which each process sees all. They differ in name and capability
// only, for all memory is one.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "emulator/arena.hpp"
#include "emulator/memory.hpp"
#include "runtime/engine.hpp"
#include "runtime/place.hpp"
#include "runtime/status.hpp"

using cpbench::vgpu::status;

namespace {

constexpr int kSharedBytes = 227 << 10;
int current_device = 0;

int number(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}
int device_count() { return number("CPBENCH_VGPU_DEVICES", 8); }
/// 80, or 90 for the kernels of that; `70,80`: of each device, the last one's of all that follow.
int capability(int device) {
  const char* text = std::getenv("CPBENCH_VGPU_CAPABILITY");
  if (text == nullptr) return 80;
  for (const char* next = text; device > 0 && (next = std::strchr(next, ',')) != nullptr; --device) text = ++next;
  return std::atoi(text);
}
int multiprocessors() { return number("CPBENCH_VGPU_MULTIPROCESSORS", 4); }
std::size_t memory_bytes() {
  const int megabytes = number("CPBENCH_VGPU_MEGABYTES", 0);
  return megabytes == 0 ? cpbench::vgpu::kOwnMemory.bytes : static_cast<std::size_t>(megabytes) * 1'000'000;
}

bool exists(int device) { return device >= 0 && device < device_count(); }

/// 1000 * major + 10 * minor; 0: there is none. CPBENCH_VGPU_DRIVER=12040 is an old one.
int driver() { return number("CPBENCH_VGPU_DRIVER", CUDART_VERSION); }

}  // namespace

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (driver() / 1000 < CUDART_VERSION / 1000) return status(cudaErrorInsufficientDriver);
  *count = device_count();
  return status(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int device) {
  if (!exists(device)) return status(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = memory_bytes();
  *free = *total - std::min(*total, cpbench::vgpu::global_memory().allocated_bytes());
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (!exists(device)) return status(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "cpbench virtual GPU");
  // The same on all processes of a node, and another on every node.
  const long host = gethostid();
  std::memcpy(properties->uuid.bytes, &host, sizeof host);
  properties->uuid.bytes[14] = static_cast<char>(cpbench::vgpu::node());
  properties->uuid.bytes[15] = static_cast<char>(device);
  properties->totalGlobalMem = memory_bytes();
  properties->sharedMemPerBlock = 48 << 10;
  properties->sharedMemPerBlockOptin = kSharedBytes;
  properties->sharedMemPerMultiprocessor = kSharedBytes + 1024;
  properties->regsPerBlock = 64 << 10;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->major = capability(device) / 10;
  properties->minor = capability(device) % 10;
  properties->multiProcessorCount = multiprocessors();
  properties->l2CacheSize = 50 << 20;
  properties->pciBusID = device + 1;
  properties->unifiedAddressing = 1;
  properties->asyncEngineCount = 3;
  properties->concurrentKernels = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (!exists(device)) return status(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrClockRate:
      *value = 1000000;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = multiprocessors();
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = capability(device) / 10;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = capability(device) % 10;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = kSharedBytes;
      return cudaSuccess;
    case cudaDevAttrCanFlushRemoteWrites:
      *value = 1;
      return cudaSuccess;
  }
  return status(cudaErrorInvalidValue);
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  constexpr char kForm[] = "0000:00:00.0";
  if (!exists(device) || length < static_cast<int>(sizeof kForm)) return status(cudaErrorInvalidValue);
  std::memcpy(text, kForm, sizeof kForm);
  text[6] = static_cast<char>('1' + device);
  return cudaSuccess;
}

cudaError_t cudaDeviceReset() { return cudaDeviceSynchronize(); }
cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  if (!exists(device) || !exists(peer)) return status(cudaErrorInvalidDevice);
  *can = device != peer && cpbench::vgpu::are_peers(device, peer) ? 1 : 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  return status(exists(peer) && peer != current_device ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = driver();
  return cudaSuccess;
}
