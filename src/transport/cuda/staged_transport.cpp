#include "transport/cuda/staged_transport.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "backend/cuda/memory.hpp"
#include "backend/cuda/queues.hpp"
#include "transport/cuda/box_copy.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kWindow = 4;  ///< chunks of a message that are under way at once

/// The box in pieces of rows, or where one row is more than `chunk_bytes` of heads of a row, each of at most so many
/// bytes or one head.
void append_chunks(const TensorView& box, std::int64_t chunk_bytes, std::vector<TensorView>& chunks) {
  if (bytes_of(box) == 0) return;
  const std::int64_t row_bytes = bytes_of(box) / box.rows;
  const std::int64_t rows = std::max<std::int64_t>(1, chunk_bytes / row_bytes);
  const std::int64_t heads = std::clamp<std::int64_t>(chunk_bytes / (row_bytes / box.heads), 1, box.heads);
  for (std::int64_t row = 0; row < box.rows; row += rows) {
    for (std::int64_t head = 0; head < box.heads; head += heads) {
      chunks.push_back(box.box(row, std::min(rows, box.rows - row), head, std::min(heads, box.heads - head)));
    }
  }
}

cudaStream_t make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return stream;
}

}  // namespace

struct StagedTransport::Slot {
  explicit Slot(std::int64_t size) : bytes(size), memory(size) {}
  std::int64_t bytes;
  PinnedMemory memory;
  CudaEvent copied;
  MPI_Request request = MPI_REQUEST_NULL;
};

/// A message: chunk i uses slot i mod kWindow, and goes through two stages. A sent chunk is copied, then sent; a
/// received one is received, then copied.
class StagedTransport::Staged {
 public:
  Staged(const Message& message, std::int64_t chunk_bytes, const Communicator& communicator, cudaStream_t stream)
      : peer_(message.peer),
        tag_(communicator.require_tag(message.tag)),
        is_send_(message.direction == Message::Direction::kSend),
        communicator_(communicator.handle()),
        stream_(stream) {
    for (const TensorView& box : message.boxes) append_chunks(box, chunk_bytes, chunks_);
    for (const TensorView& chunk : chunks_) largest_ = std::max(largest_, bytes_of(chunk));
  }

  Channel channel() const { return {is_send_ ? Message::Direction::kSend : Message::Direction::kReceive, peer_, tag_}; }
  bool is_empty() const { return chunks_.empty(); }
  void restart(StagedTransport& transport) {
    copied_ = copies_done_ = given_ = messages_done_ = 0;
    while (slots_.size() < std::min(kWindow, chunks_.size())) slots_.push_back(transport.take_slot(largest_));
  }
  std::vector<std::unique_ptr<Slot>> give_slots_back() { return std::exchange(slots_, {}); }
  bool all_given() const { return given_ == chunks_.size(); }
  bool is_done() const { return (is_send_ ? messages_done_ : copies_done_) == chunks_.size(); }

  /// `may_give`: it is the message's turn to hand chunks to MPI.
  void progress(bool may_give) {
    if (is_send_) {
      while (copied_ < chunks_.size() && copied_ < messages_done_ + kWindow) copy(copied_++);
      while (copies_done_ < copied_ && slot(copies_done_).copied.is_done()) ++copies_done_;
      while (may_give && given_ < copies_done_) give(given_++);
      while (messages_done_ < given_ && has_arrived(messages_done_)) ++messages_done_;
    } else {
      while (may_give && given_ < chunks_.size() && given_ < copies_done_ + kWindow) give(given_++);
      while (messages_done_ < given_ && has_arrived(messages_done_)) copy(messages_done_++);
      while (copies_done_ < messages_done_ && slot(copies_done_).copied.is_done()) ++copies_done_;
    }
  }

 private:
  Slot& slot(std::size_t chunk) { return *slots_[chunk % slots_.size()]; }

  void copy(std::size_t i) {
    const TensorView host = packed_like(chunks_[i], slot(i).memory.data());
    is_send_ ? queue_copy(host, chunks_[i], stream_) : queue_copy(chunks_[i], host, stream_);
    slot(i).copied.record(stream_);
  }
  void give(std::size_t i) {
    const int count = static_cast<int>(bytes_of(chunks_[i]));
    std::byte* const data = slot(i).memory.data();
    if (is_send_) {
      check_mpi(MPI_Isend(data, count, MPI_BYTE, peer_, tag_, communicator_, &slot(i).request), "MPI_Isend");
    } else {
      check_mpi(MPI_Irecv(data, count, MPI_BYTE, peer_, tag_, communicator_, &slot(i).request), "MPI_Irecv");
    }
  }
  bool has_arrived(std::size_t i) {
    int done = 0;
    check_mpi(MPI_Test(&slot(i).request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  }

  int peer_, tag_;
  bool is_send_;
  MPI_Comm communicator_;
  cudaStream_t stream_;
  std::vector<TensorView> chunks_;
  std::int64_t largest_ = 0;  ///< bytes of a chunk
  std::vector<std::unique_ptr<Slot>> slots_;
  std::size_t copied_ = 0, copies_done_ = 0, given_ = 0, messages_done_ = 0;  ///< chunks
};

StagedTransport::StagedTransport(const Communicator& communicator, std::int64_t chunk_bytes)
    : communicator_(communicator.duplicate()),
      chunk_bytes_(chunk_bytes),
      to_host_(make_stream()),
      to_device_(make_stream()) {}

StagedTransport::~StagedTransport() {
  cudaStreamDestroy(to_host_);
  cudaStreamDestroy(to_device_);
}

Transport::MessageId StagedTransport::prepare(const Message& message) {
  const cudaStream_t stream = message.direction == Message::Direction::kSend ? to_host_ : to_device_;
  messages_.push_back(std::make_unique<Staged>(message, chunk_bytes_, communicator_, stream));
  return static_cast<MessageId>(messages_.size()) - 1;
}

void StagedTransport::start(MessageId id) {
  Staged& message = *messages_.at(static_cast<std::size_t>(id));
  if (message.is_empty()) return;
  message.restart(*this);
  active_.push_back(&message);
  channels_[message.channel()].push_back(&message);
}

void StagedTransport::progress() {
  for (Staged* const message : active_) {
    auto& waiting = channels_[message->channel()];
    const bool its_turn = !waiting.empty() && waiting.front() == message;
    message->progress(its_turn);
    if (its_turn && message->all_given()) waiting.pop_front();
  }
  std::erase_if(active_, [this](Staged* message) {
    if (!message->is_done()) return false;
    std::ranges::move(message->give_slots_back(), std::back_inserter(free_slots_));
    return true;
  });
}

std::unique_ptr<StagedTransport::Slot> StagedTransport::take_slot(std::int64_t bytes) {
  const auto fitting = std::ranges::find_if(free_slots_, [&](const auto& slot) { return slot->bytes >= bytes; });
  if (fitting == free_slots_.end()) return std::make_unique<Slot>(std::max(bytes, std::int64_t{1}));
  std::unique_ptr<Slot> taken = std::move(*fitting);
  free_slots_.erase(fitting);
  return taken;
}

bool StagedTransport::test(MessageId id) {
  progress();
  return messages_.at(static_cast<std::size_t>(id))->is_done();
}

}  // namespace cpbench
