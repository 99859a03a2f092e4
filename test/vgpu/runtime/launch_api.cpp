// Launches, and what is asked of functions and of the driver.
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <set>

#include "emulator/global_shadow.hpp"
#include "emulator/launch.hpp"
#include "runtime/engine.hpp"
#include "runtime/status.hpp"
#include "vgpu/forget.hpp"

namespace cpbench::vgpu {
namespace {

class Launch : public Action {
 public:
  Launch(const LaunchShape& shape, std::unique_ptr<const KernelCall> call) : shape_(shape), call_(std::move(call)) {}
  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    run_launch(shape_, *call_);
  }
  std::string describe() const override {
    return fmt::format("a kernel of {} blocks of {} threads", shape_.blocks, shape_.threads);
  }

 private:
  LaunchShape shape_;
  std::unique_ptr<const KernelCall> call_;
};

std::set<const void*> loaded;

/// CUDA loads what it needs when it needs it, and may not where a stream is captured.
void load(const void* function, const char* call) {
  if (loaded.insert(function).second) engine().refuse_in_capture(call);
}

}  // namespace

void forget_loaded_kernels() { loaded.clear(); }

void launch_kernel(const LaunchShape& shape, cudaStream_t stream, std::unique_ptr<const KernelCall> call) {
  load(call->function(), "the loading of a kernel by its first launch");
  engine().enqueue(engine().find(stream), std::make_shared<Launch>(shape, std::move(call)));
}

}  // namespace cpbench::vgpu

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  if (cpbench::vgpu::is_to_fail("cudaFuncGetAttributes")) return cpbench::vgpu::status(cudaErrorMemoryAllocation);
  cpbench::vgpu::load(function, "the loading of a kernel");
  *attributes = {};
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return cudaSuccess; }

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  struct Entry {
    const char* name;
    void* function;
  };
  const Entry entries[] = {{"cuTensorMapEncodeTiled", reinterpret_cast<void*>(&cuTensorMapEncodeTiled)},
                           {"cuStreamWaitValue32", reinterpret_cast<void*>(&cuStreamWaitValue32)},
                           {"cuStreamWriteValue32", reinterpret_cast<void*>(&cuStreamWriteValue32)}};
  *function = nullptr;
  for (const Entry& entry : entries) {
    if (std::strcmp(entry.name, symbol) == 0) *function = entry.function;
  }
  if (result != nullptr)
    *result = *function != nullptr ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}
