// Streams, events, graphs and flags: what they order, and missing order that is planted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "vgpu/forget.hpp"
#include "vgpu/runtime/stream_kernels.hpp"
#include "vgpu/support/device_array.hpp"
#include "vgpu/support/orders.hpp"

namespace cpbench::vgpu {
namespace {

constexpr int kCount = 40;

/// Two streams that know nothing of each other, and an event.
struct Streams {
  Streams() {
    cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  }
  ~Streams() {
    cudaEventDestroy(event);
    cudaStreamDestroy(a);
    cudaStreamDestroy(b);
  }
  /// `to` goes on when `from` has come here.
  void connect(cudaStream_t from, cudaStream_t to) {
    cudaEventRecord(event, from);
    cudaStreamWaitEvent(to, event);
  }
  cudaStream_t a, b;
  cudaEvent_t event;
};

struct Pinned {
  explicit Pinned(int value) {
    cudaMallocHost(&data, kCount * sizeof(int));
    std::fill_n(data, kCount, value);
  }
  ~Pinned() { cudaFreeHost(data); }
  int* data;
};

const ExpectedFaults kNoEvent = {{FaultKind::kMissingEvent, "no event orders them"},
                                 {FaultKind::kUninitialised, "global memory"}};

TEST(Stream, WriteThenReadNeedsAnEvent) {
  const DeviceArray<int> in(std::vector<int>(kCount, 5)), middle(std::size_t{kCount}), out(std::size_t{kCount});
  Streams streams;
  expect_planted_fault(kNoEvent, [&](bool planted) {
    add_one(in.data(), middle.data(), kCount, streams.a);
    if (!planted) streams.connect(streams.a, streams.b);
    add_one(middle.data(), out.data(), kCount, streams.b);
    cudaDeviceSynchronize();
    EXPECT_EQ(out.values(), std::vector<int>(kCount, 7));
  });
}

TEST(Stream, ReadThenWriteNeedsAnEvent) {
  const DeviceArray<int> in(std::vector<int>(kCount, 5)), out(std::size_t{kCount});
  Streams streams;
  expect_planted_fault({{FaultKind::kMissingEvent, "no event orders them"}}, [&](bool planted) {
    add_one(in.data(), out.data(), kCount, streams.a);
    if (!planted) streams.connect(streams.a, streams.b);
    cudaMemsetAsync(in.data(), 0, kCount * sizeof(int), streams.b);
    cudaDeviceSynchronize();
  });
}

TEST(Stream, EveryReaderIsWaitedFor) {
  // Two streams read, a third writes and waits for one of them alone.
  const DeviceArray<int> in(std::vector<int>(kCount, 5)), x(std::size_t{kCount}), y(std::size_t{kCount});
  Streams streams, writer;
  expect_planted_fault({{FaultKind::kMissingEvent, "no event orders them"}}, [&](bool planted) {
    add_one(in.data(), x.data(), kCount, streams.a);
    add_one(in.data(), y.data(), kCount, streams.b);
    streams.connect(streams.a, writer.a);
    if (!planted) streams.connect(streams.b, writer.a);
    cudaMemsetAsync(in.data(), 0, kCount * sizeof(int), writer.a);
    cudaDeviceSynchronize();
  });
}

TEST(Stream, TheHostOrdersWhatItWaitsFor) {
  const DeviceArray<int> in(std::vector<int>(kCount, 5)), middle(std::size_t{kCount}), out(std::size_t{kCount});
  Streams streams;
  in_every_order([&] {
    add_one(in.data(), middle.data(), kCount, streams.a);
    EXPECT_EQ(cudaStreamSynchronize(streams.a), cudaSuccess);
    add_one(middle.data(), out.data(), kCount, streams.b);
    cudaEventRecord(streams.event, streams.b);
    while (cudaEventQuery(streams.event) == cudaErrorNotReady) {
    }
    add_one(out.data(), middle.data(), kCount, streams.a);
    EXPECT_EQ(cudaStreamSynchronize(streams.a), cudaSuccess);
    EXPECT_EQ(middle.values(), std::vector<int>(kCount, 8));
  });
}

TEST(Stream, TheDefaultStreamKeepsOrderWithBlockingOnes) {
  cudaStream_t blocking;
  cudaStreamCreate(&blocking);
  const DeviceArray<int> data(std::vector<int>(kCount, 0));
  in_every_order([&] {
    cudaMemsetAsync(data.data(), 0, kCount * sizeof(int), nullptr);
    add_one(data.data(), data.data(), kCount, blocking);
    add_one(data.data(), data.data(), kCount, nullptr);
    EXPECT_EQ(data.values(), std::vector<int>(kCount, 2));
  });
  cudaStreamDestroy(blocking);
}

TEST(Stream, NothingIsDoneBeforeItIsNeeded) {
  const OrderSettings before = order_settings();
  set_order({Order::kLate, 0});
  const DeviceArray<int> data(std::vector<int>(kCount, 1));
  Pinned host(-1);
  Streams streams;
  cudaMemcpyAsync(host.data, data.data(), kCount * sizeof(int), cudaMemcpyDeviceToHost, streams.a);
  EXPECT_EQ(host.data[0], -1);
  cudaStreamSynchronize(streams.b);
  EXPECT_EQ(host.data[0], -1);
  cudaStreamSynchronize(streams.a);
  EXPECT_EQ(host.data[0], 1);
  // Pinned memory is read when the copy is done, pageable memory when it is queued.
  std::vector<int> pageable(kCount, 3);
  const DeviceArray<int> other(std::size_t{kCount});
  cudaMemcpyAsync(data.data(), host.data, kCount * sizeof(int), cudaMemcpyHostToDevice, streams.a);
  cudaMemcpy(other.data(), pageable.data(), kCount * sizeof(int), cudaMemcpyHostToDevice);
  host.data[0] = 2;
  pageable[0] = 4;
  cudaStreamSynchronize(streams.a);
  EXPECT_EQ(data.values()[0], 2);
  EXPECT_EQ(other.values()[0], 3);
  set_order(before);
}

TEST(Stream, EventsMeasureTimeAndHostFunctionsRunInTurn) {
  in_every_order([] {
    cudaEvent_t begin, end;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    std::vector<int> seen;
    const auto note = [](void* list) { static_cast<std::vector<int>*>(list)->push_back(1); };
    cudaEventRecord(begin, nullptr);
    cudaLaunchHostFunc(nullptr, note, &seen);
    cudaEventRecord(end, nullptr);
    EXPECT_EQ(cudaEventSynchronize(end), cudaSuccess);
    EXPECT_EQ(seen.size(), 1u);
    float milliseconds = -1;
    EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin, end), cudaSuccess);
    EXPECT_GE(milliseconds, 0);
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
  });
}

/// `write` makes device memory hold `value` everywhere, by a call that may return before it does.
template <typename Write>
void expect_may_be_under_way(Write&& write, int value) {
  const DeviceArray<int> out(std::size_t{kCount});
  Streams streams;
  expect_planted_fault(kNoEvent, [&](bool planted) {
    const DeviceArray<int> fresh(std::size_t{kCount});
    write(fresh.data());
    if (!planted) cudaStreamSynchronize(nullptr);
    add_one(fresh.data(), out.data(), kCount, streams.a);
    cudaStreamSynchronize(streams.a);
    EXPECT_EQ(out.values(), std::vector<int>(kCount, value + 1));
  });
}

TEST(Copy, FromPageableMemoryMayBeUnderWayWhenTheCallReturns) {
  const std::vector<int> pageable(kCount, 5);
  expect_may_be_under_way(
      [&](int* to) { cudaMemcpy(to, pageable.data(), kCount * sizeof(int), cudaMemcpyHostToDevice); }, 5);
}

TEST(Copy, WithinTheDeviceIsNotWaitedFor) {
  const DeviceArray<int> in(std::vector<int>(kCount, 5));
  expect_may_be_under_way([&](int* to) { cudaMemcpy(to, in.data(), kCount * sizeof(int), cudaMemcpyDeviceToDevice); },
                          5);
}

TEST(Fill, IsNotWaitedFor) {
  expect_may_be_under_way([](int* to) { cudaMemset(to, 0, kCount * sizeof(int)); }, 0);
}

TEST(Copy, ToAndFromTheHostIsWaitedFor) {
  const DeviceArray<int> data(std::size_t{kCount}), out(std::size_t{kCount});
  Pinned pinned(5);
  std::vector<int> pageable(kCount);
  Streams streams;
  in_every_order([&] {
    cudaMemcpy(data.data(), pinned.data, kCount * sizeof(int), cudaMemcpyHostToDevice);
    add_one(data.data(), out.data(), kCount, streams.a);
    cudaStreamSynchronize(streams.a);
    cudaMemcpy(pageable.data(), out.data(), kCount * sizeof(int), cudaMemcpyDeviceToHost);
    EXPECT_EQ(pageable, std::vector<int>(kCount, 6));
  });
}

TEST(Copy, OfPageableMemoryIsNotAsynchronous) {
  const DeviceArray<int> data(std::vector<int>(kCount, 5));
  Pinned pinned(5);
  std::vector<int> pageable(kCount);
  Streams streams;
  expect_planted_fault({{FaultKind::kMisuse, "an asynchronous copy from pageable memory"}}, [&](bool planted) {
    const int* const from = planted ? pageable.data() : pinned.data;
    cudaMemcpyAsync(data.data(), from, kCount * sizeof(int), cudaMemcpyHostToDevice, streams.a);
    cudaStreamSynchronize(streams.a);
  });
  expect_planted_fault({{FaultKind::kMisuse, "an asynchronous copy to pageable memory"}}, [&](bool planted) {
    int* const to = planted ? pageable.data() : pinned.data;
    cudaMemcpyAsync(to, data.data(), kCount * sizeof(int), cudaMemcpyDeviceToHost, streams.a);
    cudaStreamSynchronize(streams.a);
  });
}

TEST(Copy, RowsAndSlices) {
  in_every_order([] {
    std::vector<int> source(4 * 6 * 8);
    for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<int>(i);
    const DeviceArray<int> from(source), to(std::vector<int>(source.size(), -1));
    constexpr std::size_t kRow = 8 * sizeof(int);
    cudaMemcpy3DParms p{};
    p.srcPtr = make_cudaPitchedPtr(from.data(), kRow, 8, 6);
    p.dstPtr = make_cudaPitchedPtr(to.data(), kRow, 8, 6);
    p.srcPos = make_cudaPos(2 * sizeof(int), 1, 1);
    p.dstPos = make_cudaPos(0, 2, 0);
    p.extent = make_cudaExtent(3 * sizeof(int), 4, 2);
    p.kind = cudaMemcpyDeviceToDevice;
    EXPECT_EQ(cudaMemcpy3DAsync(&p), cudaSuccess);
    EXPECT_EQ(cudaMemcpy2D(to.data() + 5, kRow, source.data(), 4, 4, 2, cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(cudaMemset2DAsync(to.data() + 7, kRow, 0, 4, 3), cudaSuccess);
    const std::vector<int> got = to.values();
    std::vector<int> expected(source.size(), -1);
    for (std::size_t z = 0; z < 2; ++z) {
      for (std::size_t y = 0; y < 4; ++y) {
        for (std::size_t x = 0; x < 3; ++x)
          expected[(z * 6 + y + 2) * 8 + x] = source[((z + 1) * 6 + y + 1) * 8 + x + 2];
      }
    }
    expected[5] = source[0];
    expected[13] = source[1];
    expected[7] = expected[15] = expected[23] = 0;
    EXPECT_EQ(got, expected);
  });
}

TEST(Graph, ReplaysWhatStreamsDid) {
  const DeviceArray<int> x(std::vector<int>(kCount, 0)), y(std::size_t{kCount});
  Streams streams;
  load_kernels();
  expect_planted_fault(kNoEvent, [&](bool planted) {
    cudaMemsetAsync(x.data(), 0, kCount * sizeof(int), streams.a);
    cudaStreamBeginCapture(streams.a, cudaStreamCaptureModeGlobal);
    streams.connect(streams.a, streams.b);
    add_one(x.data(), x.data(), kCount, streams.a);
    if (!planted) streams.connect(streams.a, streams.b);
    add_one(x.data(), y.data(), kCount, streams.b);
    streams.connect(streams.b, streams.a);
    cudaGraph_t graph;
    ASSERT_EQ(cudaStreamEndCapture(streams.a, &graph), cudaSuccess);
    cudaGraphExec_t executable;
    cudaGraphInstantiate(&executable, graph);
    for (int i = 0; i < 3; ++i) cudaGraphLaunch(executable, streams.a);
    cudaStreamSynchronize(streams.a);
    EXPECT_EQ(x.values(), std::vector<int>(kCount, 3));
    EXPECT_EQ(y.values(), std::vector<int>(kCount, 4));
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
  });
}

TEST(Graph, MustBeJoined) {
  const DeviceArray<int> x(std::vector<int>(kCount, 0));
  Streams streams;
  load_kernels();
  cudaStreamBeginCapture(streams.a, cudaStreamCaptureModeGlobal);
  streams.connect(streams.a, streams.b);
  add_one(x.data(), x.data(), kCount, streams.b);
  EXPECT_EQ(cudaStreamSynchronize(streams.a), cudaErrorStreamCaptureUnsupported);
  cudaGraph_t graph;
  EXPECT_EQ(cudaStreamEndCapture(streams.a, &graph), cudaErrorStreamCaptureUnjoined);
  EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureUnjoined);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(Graph, ForbidsWhatItWouldNotHave) {
  const DeviceArray<int> x(std::vector<int>(kCount, 0));
  Streams streams;
  int value = 0;
  void *memory = nullptr, *pinned = nullptr;
  const std::function<cudaError_t()> calls[] = {
      [&] { return cudaMalloc(&memory, sizeof value); },
      [&] { return cudaFree(memory); },
      [&] { return cudaMallocHost(&pinned, sizeof value); },
      [&] { return cudaFreeHost(pinned); },
      [&] { return cudaMemcpy(x.data(), &value, sizeof value, cudaMemcpyHostToDevice); },
      [&] { return cudaMemset(x.data(), 0, sizeof value); },
      [&] { return cudaDeviceSynchronize(); },
      [&] { return cudaEventQuery(streams.event); },
      [&] { return cudaStreamQuery(streams.b); },
      [&] {  // the first launch of a kernel
        forget_loaded_kernels();
        add_one(x.data(), x.data(), 1, streams.b);
        return cudaSuccess;
      },
  };
  in_every_order([&] {
    for (const auto& call : calls) {
      EXPECT_EQ(call(), cudaSuccess);
      cudaStreamBeginCapture(streams.a, cudaStreamCaptureModeThreadLocal);
      expect_fault({{FaultKind::kMisuse, "while a stream is being captured"}}, call);
      cudaGraph_t graph;
      ASSERT_EQ(cudaStreamEndCapture(streams.a, &graph), cudaSuccess);
      cudaGraphDestroy(graph);
    }
  });
}

CUdeviceptr address_of(const DeviceArray<int>& flag) { return reinterpret_cast<CUdeviceptr>(flag.data()); }

TEST(Flag, OrdersStreams) {
  const DeviceArray<int> in(std::vector<int>(kCount, 5)), middle(std::size_t{kCount}), out(std::size_t{kCount});
  const DeviceArray<int> flag(std::vector<int>{0});
  Streams streams;
  std::uint32_t turn = 0;
  expect_planted_fault(kNoEvent, [&](bool planted) {
    ++turn;
    if (!planted) cuStreamWaitValue32(streams.b, address_of(flag), turn, CU_STREAM_WAIT_VALUE_GEQ);
    add_one(in.data(), middle.data(), kCount, streams.a);
    cuStreamWriteValue32(streams.a, address_of(flag), turn, CU_STREAM_WRITE_VALUE_DEFAULT);
    add_one(middle.data(), out.data(), kCount, streams.b);
    cudaDeviceSynchronize();
    EXPECT_EQ(out.values(), std::vector<int>(kCount, 7));
  });
}

TEST(Flag, HoldsSomethingBeforeAnybodyLooksAtIt) {
  Streams streams;
  expect_planted_fault({{FaultKind::kUninitialised, "is read and was never written"}}, [&](bool planted) {
    const DeviceArray<int> flag(std::size_t{1});
    // Without the first value nobody ever writes it, and what is there by chance may be what is waited for.
    if (!planted) cuStreamWriteValue32(streams.a, address_of(flag), 3, CU_STREAM_WRITE_VALUE_DEFAULT);
    if (!planted) streams.connect(streams.a, streams.b);
    cuStreamWaitValue32(streams.b, address_of(flag), 3, CU_STREAM_WAIT_VALUE_EQ);
    EXPECT_EQ(cudaStreamSynchronize(streams.b), cudaSuccess);
  });
}

TEST(Flag, IsClearedBeforeAnybodyLooksAtIt) {
  Streams streams;
  const ExpectedFaults expected = {{FaultKind::kMissingEvent, "waited for as a flag"},
                                   {FaultKind::kMissingEvent, "raised as a flag"},
                                   {FaultKind::kUninitialised, "is read and was never written"}};
  expect_planted_fault(expected, [&](bool planted) {
    const DeviceArray<int> flag(std::size_t{1});
    cudaMemsetAsync(flag.data(), 0, sizeof(int), streams.a);
    if (!planted) streams.connect(streams.a, streams.b);
    cuStreamWaitValue32(streams.b, address_of(flag), 3, CU_STREAM_WAIT_VALUE_EQ);
    cuStreamWriteValue32(streams.a, address_of(flag), 3, CU_STREAM_WRITE_VALUE_DEFAULT);
    cudaStreamSynchronize(streams.a);
    EXPECT_EQ(cudaStreamSynchronize(streams.b), cudaSuccess);
  });
}

TEST(Flag, ThatNobodyWritesIsADeadlock) {
  setenv("CPBENCH_VGPU_PATIENCE", "0", 1);
  const DeviceArray<int> flag(std::vector<int>{0});
  Streams streams;
  cuStreamWaitValue32(streams.a, address_of(flag), 3, CU_STREAM_WAIT_VALUE_EQ);
  expect_fault({{FaultKind::kDeadlock, "a wait for a flag to be 3"}}, [&] { cudaStreamSynchronize(streams.a); });
  cuStreamWriteValue32(streams.b, address_of(flag), 3, CU_STREAM_WRITE_VALUE_DEFAULT);
  EXPECT_EQ(cudaStreamSynchronize(streams.a), cudaSuccess);
  unsetenv("CPBENCH_VGPU_PATIENCE");
}

TEST(Runtime, RemembersTheLastError) {
  int device = 0;
  EXPECT_EQ(cudaSetDevice(1000), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  EXPECT_STREQ(cudaGetErrorName(cudaGetLastError()), "cudaErrorInvalidDevice");
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

}  // namespace
}  // namespace cpbench::vgpu
