#include "transport/cuda/flags.hpp"

#include "support/error.hpp"

namespace cpbench {
namespace {

/// From the driver at run time, so that a program that was linked without it starts where there is none.
template <typename Function>
Function* find_in_driver(const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  constexpr unsigned kSinceVersion = 12000;
  check(cudaGetDriverEntryPointByVersion(name, &found, kSinceVersion, cudaEnableDefault, &result),
        "cudaGetDriverEntryPointByVersion");
  if (found == nullptr || result != cudaDriverEntryPointSuccess) {
    throw Error(ExitCode::kDevice, fmt::format("the driver has no {}: CUDA 12.0 or later is needed", name));
  }
  return reinterpret_cast<Function*>(found);
}

using StreamValue = CUresult(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags);

void check_driver(CUresult result, const char* what) {
  if (result != CUDA_SUCCESS)
    throw Error(ExitCode::kDevice, fmt::format("{}: error {}", what, static_cast<int>(result)));
}

void write(Flag* flag, Flag value, cudaStream_t stream) {
  static StreamValue* const kWriteValue = find_in_driver<StreamValue>("cuStreamWriteValue32");
  const auto address = static_cast<CUdeviceptr>(reinterpret_cast<std::uintptr_t>(flag));
  check_driver(kWriteValue(stream, address, value, CU_STREAM_WRITE_VALUE_DEFAULT), "cuStreamWriteValue32");
}

/// What a peer copied here before it raised the flag may still be on its way within this device, which is told to wait
/// for that too, where it may be.
unsigned flush_of_remote_writes() {
  int device = 0, can_flush = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&can_flush, cudaDevAttrCanFlushRemoteWrites, device), "cudaDeviceGetAttribute");
  return can_flush != 0 ? unsigned{CU_STREAM_WAIT_VALUE_FLUSH} : 0;
}

}  // namespace

Flag* FlagPool::make() {
  if (used_ == kBlock) {
    blocks_.push_back(make_zeroed_memory(kBlock * std::int64_t{sizeof(Flag)}));
    used_ = 0;
  }
  return reinterpret_cast<Flag*>(blocks_.back()->data()) + used_++;
}

void raise(Flag* flag, cudaStream_t stream) { write(flag, 1, stream); }

void await(Flag* flag, cudaStream_t stream) {
  static StreamValue* const kWaitValue = find_in_driver<StreamValue>("cuStreamWaitValue32");
  const auto address = static_cast<CUdeviceptr>(reinterpret_cast<std::uintptr_t>(flag));
  static const unsigned kCondition = CU_STREAM_WAIT_VALUE_EQ | flush_of_remote_writes();
  check_driver(kWaitValue(stream, address, 1, kCondition), "cuStreamWaitValue32");
  write(flag, 0, stream);
}

}  // namespace cpbench
