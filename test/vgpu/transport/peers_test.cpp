// What two processes owe each other where something goes wrong.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "backend/cuda/cuda_backend.hpp"
#include "support/error.hpp"
#include "transport/cuda/ipc_transport.hpp"
#include "transport/cuda/nccl_transport.hpp"
#include "vgpu/transport/device_box.hpp"

namespace {

int started = 0;  ///< requests of MPI

}  // namespace

extern "C" {
int MPI_Isend(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm communicator,
              MPI_Request* request) {
  ++started;
  return PMPI_Isend(data, count, type, to, tag, communicator, request);
}
int MPI_Irecv(void* data, int count, MPI_Datatype type, int from, int tag, MPI_Comm communicator,
              MPI_Request* request) {
  ++started;
  return PMPI_Irecv(data, count, type, from, tag, communicator, request);
}
}

namespace cpbench {
namespace {

/// Either rank sends the other a box.
struct Pair {
  Pair() : world(Communicator::world()), transport(world, backend.cuda_queues()) {
    using enum Message::Direction;
    transport.prepare({kSend, 1 - world.rank(), 0, Link::kInner, Stream::kInner, {source.view()}});
    transport.prepare({kReceive, 1 - world.rank(), 0, Link::kInner, Stream::kInner, {target.view()}});
  }
  Communicator world;
  CudaBackend backend{{}};
  DeviceBox source, target;
  IpcTransport transport;
};

TEST(Peers, NothingIsUnderWayOfWhatIsOnlyDeclared) {
  started = 0;
  { const Pair pair; }
  EXPECT_EQ(started, 0) << "MPI writes into memory that is freed";
}

TEST(Peers, NothingIsFreedThatAPeerHasOpen) {
  for (const int late : {0, 1}) {
    try {
      Pair pair;
      pair.transport.connect();
      if (pair.world.rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(300));
      throw Error(ExitCode::kPlacement, "on both ranks");
    } catch (const Error&) {
    }
  }
}

/// Fails on all ranks as long as it lives.
struct NoMemory {
  NoMemory() { setenv("CPBENCH_VGPU_FAIL", "cudaMalloc", 1); }
  ~NoMemory() { unsetenv("CPBENCH_VGPU_FAIL"); }
};

TEST(Peers, MeetWithoutTakingMemory) {
  // For one rank's error of placement would leave the others waiting there.
  const Communicator world = Communicator::world();
  CudaBackend backend{{}};
  DeviceBox source, target;
  NcclTransport transport(world, backend.cuda_queues());
  const auto declare = [&] {
    using enum Message::Direction;
    transport.prepare({kSend, 1 - world.rank(), 0, Link::kInner, Stream::kInner, {source.view()}});
    transport.prepare({kReceive, 1 - world.rank(), 0, Link::kInner, Stream::kInner, {target.view()}});
  };
  {
    const NoMemory none;
    EXPECT_THROW(declare(), Error);
  }
  declare();
  const NoMemory none;
  EXPECT_NO_THROW(transport.connect());
}

}  // namespace
}  // namespace cpbench
