// Memory and events of another process.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "vgpu/support/device_array.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

/// What another process does with the handles, in a stream of its own; its exit status is 0 where all went well.
int push(cudaIpcMemHandle_t memory, cudaIpcEventHandle_t begin, CUdeviceptr flag_offset) {
  void* opened = nullptr;
  cudaEvent_t event;
  cudaStream_t stream;
  if (cudaIpcOpenMemHandle(&opened, memory, cudaIpcMemLazyEnablePeerAccess) != cudaSuccess) return 1;
  if (cudaIpcOpenEventHandle(&event, begin) != cudaSuccess) return 2;
  cudaStreamCreate(&stream);
  cudaStreamWaitEvent(stream, event);
  const std::vector<int> values = {3, 4, 5};
  cudaMemcpy(opened, values.data(), sizeof(int) * 3, cudaMemcpyDefault);  // in order with a stream that blocks
  cuStreamWriteValue32(stream, reinterpret_cast<CUdeviceptr>(opened) + flag_offset, 1, CU_STREAM_WRITE_VALUE_DEFAULT);
  if (cudaStreamSynchronize(stream) != cudaSuccess) return 3;
  cudaEventDestroy(event);
  return cudaIpcCloseMemHandle(opened) == cudaSuccess ? 0 : 4;
}

TEST(Ipc, AnotherProcessPushesWhenItMay) {
  in_every_order(
      [] {
        const DeviceArray<int> data(std::vector<int>(8, 0));
        cudaIpcMemHandle_t memory;
        ASSERT_EQ(cudaIpcGetMemHandle(&memory, data.data()), cudaSuccess);
        cudaEvent_t ready;
        cudaEventCreateWithFlags(&ready, cudaEventInterprocess | cudaEventDisableTiming);
        cudaIpcEventHandle_t event;
        ASSERT_EQ(cudaIpcGetEventHandle(&event, ready), cudaSuccess);
        cudaStream_t stream;
        cudaStreamCreate(&stream);
        cudaEventRecord(ready, stream);

        const pid_t other = fork();
        if (other == 0) _exit(push(memory, event, 7 * sizeof(int)));
        const auto flag = reinterpret_cast<CUdeviceptr>(data.data() + 7);
        cuStreamWaitValue32(stream, flag, 1, CU_STREAM_WAIT_VALUE_EQ);
        EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
        EXPECT_EQ(data.values(), (std::vector<int>{3, 4, 5, 0, 0, 0, 0, 1}));
        int result = -1;
        waitpid(other, &result, 0);
        EXPECT_EQ(result, 0);
        cudaStreamDestroy(stream);
        cudaEventDestroy(ready);
      },
      2);
}

TEST(Ipc, FreeingWhatAnotherProcessHasOpenIsSeen) {
  int* data = nullptr;
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&data), 32), cudaSuccess);
  cudaIpcMemHandle_t memory;
  ASSERT_EQ(cudaIpcGetMemHandle(&memory, data), cudaSuccess);
  std::array<int, 2> opened{},
      seen{};  // pipes: the other process tells that it has it open, and learns that it may close
  ASSERT_EQ(pipe(opened.data()), 0);
  ASSERT_EQ(pipe(seen.data()), 0);
  char byte = 0;
  const pid_t other = fork();
  if (other == 0) {
    void* there = nullptr;
    const bool good = cudaIpcOpenMemHandle(&there, memory, 0) == cudaSuccess && write(opened[1], &byte, 1) == 1 &&
                      read(seen[0], &byte, 1) == 1 && cudaIpcCloseMemHandle(there) == cudaSuccess;
    _exit(good ? 0 : 1);
  }
  ASSERT_EQ(read(opened[0], &byte, 1), 1);
  try {
    cudaFree(data);
    ADD_FAILURE() << "freed";
  } catch (const Fault& fault) {
    EXPECT_EQ(fault.kind(), FaultKind::kMisuse);
  }
  ASSERT_EQ(write(seen[1], &byte, 1), 1);
  int result = -1;
  waitpid(other, &result, 0);
  EXPECT_EQ(result, 0);
  EXPECT_EQ(cudaFree(data), cudaSuccess);
  for (const int file : {opened[0], opened[1], seen[0], seen[1]}) close(file);
}

TEST(Ipc, RefusesWhatIsNoAllocation) {
  const DeviceArray<int> data(std::size_t{8});
  cudaIpcMemHandle_t handle;
  EXPECT_EQ(cudaIpcGetMemHandle(&handle, data.data() + 1), cudaErrorInvalidValue);
  ASSERT_EQ(cudaIpcGetMemHandle(&handle, data.data()), cudaSuccess);
  void* opened = nullptr;
  EXPECT_EQ(cudaIpcOpenMemHandle(&opened, handle, 0), cudaErrorInvalidValue) << "a process's own memory";
  cudaGetLastError();
}

}  // namespace
}  // namespace cpbench::vgpu
