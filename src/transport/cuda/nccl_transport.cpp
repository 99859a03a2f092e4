#include "transport/cuda/nccl_transport.hpp"

#include <cstring>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/error.hpp"
#include "transport/backoff.hpp"
#include "transport/cuda/box_copy.hpp"
#include "transport/strided_box.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kGreetingBytes = 16;

void check_nccl(ncclResult_t result, const char* call) {
  if (result != ncclSuccess) throw Error(ExitCode::kDevice, fmt::format("{}: {}", call, ncclGetErrorString(result)));
}

/// Rank 0's identifier on all ranks, over MPI.
ncclUniqueId shared_id(const Communicator& communicator) {
  ncclUniqueId id{};
  if (communicator.rank() == 0) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  const std::string bytes = communicator.broadcast(std::string(id.internal, sizeof id.internal));
  std::memcpy(id.internal, bytes.data(), sizeof id.internal);
  return id;
}

/// For the kernels of `device`. Collective, and returns when all ranks have come.
NcclCommunicators make_communicators(int size, int rank, const ncclUniqueId& id, int device, int ctas) {
  check(cudaSetDevice(device), "cudaSetDevice");
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.cgaClusterSize = 1;  // clusters would wait for neighbouring multiprocessors to be free together
  if (ctas > 0) config.minCTAs = config.maxCTAs = ctas;
  NcclCommunicators made{};
  const auto of = [&](Stream stream) { return &made[static_cast<std::size_t>(stream)]; };
  const ncclComm_t& whole = *of(Stream::kInner);
  check_nccl(ncclCommInitRankConfig(of(Stream::kInner), size, id, rank, &config), "ncclCommInitRankConfig");
  for (const Stream stream : {Stream::kOuter, Stream::kGradient}) {
    check_nccl(ncclCommSplit(whole, 0, rank, of(stream), &config), "ncclCommSplit");
  }
  return made;
}

/// NCCL waits without end for a rank that its network does not reach. Communicators that do not block would need no
/// thread, but then each group of messages, too, may not be queued yet when its call returns.
NcclCommunicators make_communicators_in_time(const Communicator& ranks, const NcclOptions& options) {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  std::packaged_task<NcclCommunicators()> make(
      [size = ranks.size(), rank = ranks.rank(), id = shared_id(ranks), device, ctas = options.ctas] {
        return make_communicators(size, rank, id, device, ctas);
      });
  std::future<NcclCommunicators> made = make.get_future();
  std::thread(std::move(make)).detach();
  if (made.wait_for(options.patience) == std::future_status::timeout) {
    throw Error(ExitCode::kDevice,
                fmt::format("NCCL has not found all of the {} ranks within {} s: its network may not reach some node. "
                            "NCCL_DEBUG=INFO shows what it waits for, and NCCL_SOCKET_IFNAME names the interface that "
                            "it takes",
                            ranks.size(), options.patience.count()));
  }
  return made.get();
}

}  // namespace

LibraryVersions nccl_versions() {
  const auto text = [](int version) {
    return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
  };
  int version = 0;
  check_nccl(ncclGetVersion(&version), "ncclGetVersion");
  return {text(NCCL_VERSION_CODE), text(version)};
}

NcclTransport::NcclTransport(const Communicator& communicator, const CudaQueues& queues, const NcclOptions& options)
    : queues_(queues), communicators_(make_communicators_in_time(communicator, options)) {}

NcclTransport::~NcclTransport() {
  for (const ncclComm_t communicator : communicators_) {
    if (communicator != nullptr) ncclCommDestroy(communicator);
  }
}

Transport::MessageId NcclTransport::prepare(const Message& message) {
  introduce({message.stream, message.direction, message.peer});
  Prepared prepared{message, nullptr, static_cast<std::size_t>(message.bytes()), nullptr, {}};
  const std::vector<StridedBox> boxes = strided_boxes(message.boxes);
  if (boxes.size() == 1 && boxes.front().contiguous()) {
    prepared.data = boxes.front().data;
  } else {
    prepared.packed = std::make_unique<CudaMemory>(message.bytes());
    prepared.data = prepared.packed->data();
    std::byte* next = prepared.data;
    for (const TensorView& box : message.boxes) {
      prepared.packed_boxes.push_back(packed_like(box, next));
      next += bytes_of(box);
    }
  }
  prepared_.push_back(std::move(prepared));
  return static_cast<MessageId>(prepared_.size()) - 1;
}

void NcclTransport::introduce(const Contact& contact) {
  if (greetings_.contains(contact)) return;
  greetings_.emplace(contact, make_zeroed_memory(kGreetingBytes));
  strangers_.push_back(contact);
}

void NcclTransport::connect() {
  std::map<Stream, std::vector<Call>> calls;  // in the same order on all ranks
  for (const Contact& contact : std::exchange(strangers_, {})) {
    const auto& [stream, direction, peer] = contact;
    calls[stream].push_back({direction, peer, greetings_.at(contact)->data(), kGreetingBytes});
  }
  for (const auto& [stream, of_stream] : calls) {
    queue_group(of_stream, stream);
    wait_for(stream);
  }
}

void NcclTransport::wait_for(Stream stream) {
  Backoff backoff;
  cudaError_t status = cudaSuccess;
  while ((status = cudaStreamQuery(queues_.stream(stream))) == cudaErrorNotReady) {
    check_health();
    backoff.pause();
  }
  check(status, "cudaStreamQuery");
}

void NcclTransport::queue_group(std::span<const Call> calls, Stream stream) {
  const cudaStream_t queue = queues_.stream(stream);
  const ncclComm_t communicator = communicators_.at(static_cast<std::size_t>(stream));
  if (communicator == nullptr) throw std::logic_error("an exchange on a stream that has no communicator");
  check_nccl(ncclGroupStart(), "ncclGroupStart");
  ncclResult_t queued = ncclSuccess;
  for (const auto& [direction, peer, data, bytes] : calls) {
    const ncclResult_t result = direction == Message::Direction::kSend
                                    ? ncclSend(data, bytes, ncclInt8, peer, communicator, queue)
                                    : ncclRecv(data, bytes, ncclInt8, peer, communicator, queue);
    if (queued == ncclSuccess) queued = result;
  }
  const ncclResult_t ended = ncclGroupEnd();  // in any case, or what is queued next would be of this group
  check_nccl(queued, "ncclSend or ncclRecv");
  check_nccl(ended, "ncclGroupEnd");
}

void NcclTransport::queue(std::span<const MessageId> messages, Stream stream) {
  if (messages.empty()) return;
  const cudaStream_t queue = queues_.stream(stream);
  const auto copy_packed = [&](Message::Direction direction, auto&& copy) {
    for (const MessageId id : messages) {
      const Prepared& p = at(id);
      if (p.message.direction != direction) continue;
      for (std::size_t i = 0; i < p.packed_boxes.size(); ++i) copy(p.packed_boxes[i], p.message.boxes[i]);
    }
  };
  using enum Message::Direction;
  copy_packed(kSend, [&](const TensorView& packed, const TensorView& box) { queue_copy(packed, box, queue); });
  std::vector<Call> calls;
  for (const MessageId id : messages) {
    const Prepared& p = at(id);
    calls.push_back({p.message.direction, p.message.peer, p.data, p.bytes});
  }
  queue_group(calls, stream);
  copy_packed(kReceive, [&](const TensorView& packed, const TensorView& box) { queue_copy(box, packed, queue); });
}

void NcclTransport::check_health() {
  for (const ncclComm_t communicator : communicators_) {
    if (communicator == nullptr) continue;
    ncclResult_t error = ncclSuccess;
    check_nccl(ncclCommGetAsyncError(communicator, &error), "ncclCommGetAsyncError");
    if (error == ncclSuccess || error == ncclInProgress) continue;
    // No ncclCommAbort: it waits for a network that may be gone, and this error ends the processes anyway.
    throw Error(ExitCode::kDevice,
                fmt::format("NCCL: {}: {}", ncclGetErrorString(error), ncclGetLastError(communicator)));
  }
}

void NcclTransport::start(MessageId) { throw std::logic_error("messages of NCCL are queued, not started"); }
bool NcclTransport::test(MessageId) { throw std::logic_error("messages of NCCL are queued, not tested"); }

}  // namespace cpbench
