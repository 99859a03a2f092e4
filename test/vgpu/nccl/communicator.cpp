// Making and ending communicators. Ranks find each other through messages of MPI: each tells the rank that made the
// identifier who it is, and gets the list. The thread may be another than the one that made MPI: that one waits for it.
#include "nccl/communicator.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "runtime/engine.hpp"
#include "runtime/status.hpp"

namespace {

/// What an identifier says: who made it, and which of those that it made.
struct Identity {
  int world_rank, number;
};
static_assert(sizeof(Identity) <= NCCL_UNIQUE_ID_BYTES);

// Tags above those that programs use; every communicator gets one of its own, the same on all its ranks.
constexpr int kFirstTag = 1 << 20, kTagsPerRank = 1 << 10;
int tag_of(const Identity& id) { return kFirstTag + (id.world_rank * kTagsPerRank + id.number) % (1 << 20) * 2; }

int world_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int made = 0;  // identifiers of this process

/// Everyone tells `root` an int; everyone gets all of them.
std::vector<int> gather(int root, int size, int rank, int own, int tag) {
  std::vector<int> all(static_cast<std::size_t>(size), own);
  if (world_rank() != root) {
    const std::array<int, 2> told = {rank, own};
    MPI_Send(told.data(), 2, MPI_INT, root, tag, MPI_COMM_WORLD);
    MPI_Recv(all.data(), size, MPI_INT, root, tag + 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return all;
  }
  all[static_cast<std::size_t>(rank)] = own;
  std::vector<int> sources;
  for (int i = 1; i < size; ++i) {
    std::array<int, 2> told;
    MPI_Status status;
    MPI_Recv(told.data(), 2, MPI_INT, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &status);
    all[static_cast<std::size_t>(told[0])] = told[1];
    sources.push_back(status.MPI_SOURCE);
  }
  for (const int source : sources) MPI_Send(all.data(), size, MPI_INT, source, tag + 1, MPI_COMM_WORLD);
  return all;
}

bool is_mixing_wanted() {
  const char* const text = std::getenv("NCCL_GRAPH_MIXING_SUPPORT");
  return text == nullptr || std::atoi(text) != 0;
}

/// Of a rank that no network reaches.
constexpr int kUnreachable = -1;

}  // namespace

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess:
      return "no error";
    case ncclInvalidArgument:
      return "invalid argument";
    case ncclSystemError:
      return "unhandled system error";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    default:
      return "invalid usage";
  }
}
const char* ncclGetLastError(ncclComm_t) { return ""; }
ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const Identity identity{world_rank(), made++};
  std::memset(id->internal, 0, sizeof id->internal);
  std::memcpy(id->internal, &identity, sizeof identity);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* communicator, int size, ncclUniqueId id, int rank, ncclConfig_t*) {
  if (size < 1 || rank < 0 || rank >= size) return ncclInvalidArgument;
  Identity identity;
  std::memcpy(&identity, id.internal, sizeof identity);
  const int tag = tag_of(identity), own = cpbench::vgpu::is_to_fail("bootstrap") ? kUnreachable : world_rank();
  const std::vector<int> all = gather(identity.world_rank, size, rank, own, tag);
  while (std::count(all.begin(), all.end(), kUnreachable) > 0) std::this_thread::sleep_for(std::chrono::hours(1));
  *communicator = new ncclComm{.rank = rank, .world_ranks = all, .tag = tag, .mixes_graphs = is_mixing_wanted()};
  return ncclSuccess;
}
ncclResult_t ncclCommInitRank(ncclComm_t* communicator, int size, ncclUniqueId id, int rank) {
  return ncclCommInitRankConfig(communicator, size, id, rank, nullptr);
}

ncclResult_t ncclCommSplit(ncclComm_t whole, int color, int key, ncclComm_t* part, ncclConfig_t*) {
  const int size = static_cast<int>(whole->world_ranks.size()), root = whole->world_ranks[0];
  const std::vector<int> colors = gather(root, size, whole->rank, color, whole->tag);
  const std::vector<int> keys = gather(root, size, whole->rank, key, whole->tag);
  // Rank 0 makes the identity of all parts, which have no rank in common.
  const int number = gather(root, size, whole->rank, whole->rank == 0 ? made++ : 0, whole->tag)[0];
  *part = nullptr;
  if (color == NCCL_SPLIT_NOCOLOR) return ncclSuccess;
  std::vector<int> members;
  for (int rank = 0; rank < size; ++rank) {
    if (colors[static_cast<std::size_t>(rank)] == color) members.push_back(rank);
  }
  std::stable_sort(members.begin(), members.end(),
                   [&](int x, int y) { return keys[static_cast<std::size_t>(x)] < keys[static_cast<std::size_t>(y)]; });
  auto made_part = std::make_unique<ncclComm>();
  made_part->mixes_graphs = whole->mixes_graphs;
  made_part->tag = tag_of({root, number});
  for (const int member : members) {
    if (member == whole->rank) made_part->rank = static_cast<int>(made_part->world_ranks.size());
    made_part->world_ranks.push_back(whole->world_ranks[static_cast<std::size_t>(member)]);
  }
  *part = made_part.release();
  return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t) {
  cpbench::vgpu::engine().finish_all();
  return ncclSuccess;
}
ncclResult_t ncclCommDestroy(ncclComm_t communicator) {
  cpbench::vgpu::engine().finish_all();
  delete communicator;
  return ncclSuccess;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* error) {
  const bool wrong = cpbench::vgpu::network_is_gone() || cpbench::vgpu::is_to_fail("ncclCommGetAsyncError");
  *error = wrong ? ncclRemoteError : ncclSuccess;
  return ncclSuccess;
}
ncclResult_t ncclCommCount(const ncclComm_t communicator, int* count) {
  *count = static_cast<int>(communicator->world_ranks.size());
  return ncclSuccess;
}
ncclResult_t ncclCommUserRank(const ncclComm_t communicator, int* rank) {
  *rank = communicator->rank;
  return ncclSuccess;
}
