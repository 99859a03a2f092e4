// ncclSend and ncclRecv in groups: a group is one operation of each stream that it names.
//
// NCCL: a send need not be buffered, so it completes only once the peer receives: MPI_Issend. Sends and receives of a
// pair of ranks meet in the order in which they were queued.
#include <fmt/format.h>
#include <mpi.h>

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "emulator/arena.hpp"
#include "emulator/fault_message.hpp"
#include "nccl/communicator.hpp"
#include "runtime/engine.hpp"
#include "runtime/status.hpp"
#include "runtime/whole_access.hpp"

namespace cpbench::vgpu {
namespace {

struct Message {
  std::byte* data;
  std::size_t bytes;
  ncclComm_t communicator;
  int peer;
  bool is_send;

  int world_rank() const { return communicator->world_ranks[static_cast<std::size_t>(peer)]; }
};

bool network_gone = false;

class Messages : public Action {
 public:
  explicit Messages(std::vector<Message> messages) : messages_(std::move(messages)) {}

  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    if (is_to_fail("network")) network_gone = true;
    if (network_gone) return;
    requests_.assign(messages_.size(), MPI_REQUEST_NULL);
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      const Message& message = messages_[i];
      const int count = static_cast<int>(message.bytes);
      if (message.is_send) {
        note_read(message.data, message.bytes);
        MPI_Issend(message.data, count, MPI_BYTE, message.world_rank(), message.communicator->tag, MPI_COMM_WORLD,
                   &requests_[i]);
      } else {
        note_write(message.data, message.bytes);
        MPI_Irecv(message.data, count, MPI_BYTE, message.world_rank(), message.communicator->tag, MPI_COMM_WORLD,
                  &requests_[i]);
      }
    }
  }
  bool done() override {
    if (network_gone) return false;
    int all = 0;
    PMPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &all, MPI_STATUSES_IGNORE);
    return all != 0;
  }
  bool involves_others() const override { return true; }
  std::string describe() const override {
    std::string text = "messages of NCCL:";
    for (const Message& message : messages_) {
      text += fmt::format(" {} {} bytes {} rank {} of the world,", message.is_send ? "send" : "receive", message.bytes,
                          message.is_send ? "to" : "from", message.world_rank());
    }
    return text;
  }

 private:
  std::vector<Message> messages_;
  std::vector<MPI_Request> requests_;
};

int depth = 0;
std::map<cudaStream_t, std::vector<Message>> group;

std::size_t bytes_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt8:
    case ncclUint8:
      return 1;
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    default:
      return 4;
  }
}

ncclResult_t add(const void* data, std::size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                 cudaStream_t stream, bool is_send) {
  if (peer < 0 || peer >= static_cast<int>(communicator->world_ranks.size())) return ncclInvalidArgument;
  const std::size_t bytes = count * bytes_of(type);
  if (bytes == 0) return ncclSuccess;
  if (!kGlobalMemory.contains(reinterpret_cast<std::uintptr_t>(data))) return ncclInvalidArgument;
  ncclGroupStart();
  group[stream].push_back({static_cast<std::byte*>(const_cast<void*>(data)), bytes, communicator, peer, is_send});
  return ncclGroupEnd();
}

/// Ranks connect by their first message to each other, here as over a network that cannot while a stream is captured.
bool can_connect(const std::vector<Message>& messages, bool captured) {
  for (const Message& message : messages) {
    const bool is_known = message.peer == message.communicator->rank ||
                          !message.communicator->connected.insert({message.peer, message.is_send}).second;
    if (!is_known && captured) {
      message.communicator->connected.erase({message.peer, message.is_send});
      return false;
    }
  }
  return true;
}

/// NCCL's own warning: a graph of several communicators that mix launches may deadlock.
void note_capture(const Stream& stream, const std::vector<Message>& messages) {
  static std::shared_ptr<const Capture> captured;
  static std::set<int> tags;  // of its communicators
  if (stream.capture == nullptr) return;
  if (std::exchange(captured, stream.capture) != stream.capture) tags.clear();
  for (const Message& message : messages) {
    tags.insert(message.communicator->tag);
    if (tags.size() == 1 || !message.communicator->mixes_graphs) continue;
    fail(FaultKind::kMisuse, "several communicators in one graph without NCCL_GRAPH_MIXING_SUPPORT=0");
  }
}

}  // namespace

bool network_is_gone() { return network_gone; }

}  // namespace cpbench::vgpu

using namespace cpbench::vgpu;

ncclResult_t ncclSend(const void* data, std::size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t stream) {
  return add(data, count, type, peer, communicator, stream, true);
}
ncclResult_t ncclRecv(void* data, std::size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t stream) {
  return add(data, count, type, peer, communicator, stream, false);
}

ncclResult_t ncclGroupStart() {
  ++depth;
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  if (depth == 0) return ncclInvalidUsage;
  if (--depth > 0) return ncclSuccess;
  ncclResult_t result = ncclSuccess;
  for (auto& [handle, messages] : std::exchange(group, {})) {
    Stream& stream = engine().find(handle);
    note_capture(stream, messages);
    if (can_connect(messages, stream.capture != nullptr)) {
      engine().enqueue(stream, std::make_shared<Messages>(std::move(messages)));
    } else {
      result = ncclSystemError;
    }
  }
  return result;
}
