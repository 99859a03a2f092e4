// Where this process runs, and what it may use there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "run/available_memory.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

struct Placement {
  std::string host;
  int local_rank = 0, local_size = 1;  ///< among the ranks of the node
  std::vector<int> cpus;               ///< that this process may use, ascending
  int node_cpus = 1;                   ///< that any rank of the node may use

  // Of the job, the same on all ranks however its nodes differ: what ranks choose by these they choose alike.
  int smallest_node_cpus = 1;  ///< node_cpus of the node that has fewest
  int threads_per_rank = 1;    ///< an equal part of the CPUs of the node where that is least, at least one
  int ranks_per_node = 1;      ///< the largest number that divides local_size on every node
};

/// Collective over both; `node`: the ranks of the world that share one with this rank.
Placement find_placement(const Communicator& world, const Communicator& node);
Placement find_placement(const Communicator& world);

/// `0-3,8`: ranges of ascending CPU numbers.
std::string format_cpus(const std::vector<int>& cpus);

/// Whether each thread of each rank of the node has a CPU to itself: what Backoff wants to know.
bool cores_suffice(const Placement& placement, int threads);
/// Collective: whether that is so on every node.
bool cores_suffice(const Communicator& world, const Placement& placement, int threads);
/// What to tell the user where they have not: this rank has fewer CPUs than threads, or its node fewer than all its
/// ranks together. Empty where they have.
std::string thread_warning(const Placement& placement, int threads);
/// Collective: that of the lowest rank that has one, on all of them.
std::string thread_warning(const Communicator& world, const Placement& placement, int threads);

/// What a rank is about to allocate.
struct MemoryPlan {
  std::int64_t bytes = 0;
  std::string what;                   ///< "buffers"
  std::vector<std::string> remedies;  ///< what makes it less, for a user to choose from
  /// What may make it less, on all ranks the same: a remedy where together they plan less so.
  struct Alternative {
    std::string use;
    std::function<std::int64_t()> bytes;  ///< asked for only where memory does not suffice
  };
  std::vector<Alternative> alternatives = {};
};

/// `; use a, b or c`, or nothing where nothing helps.
std::string text_of_remedies(const std::vector<std::string>& remedies);

/// Collective over the ranks that allocate from one memory; `where` names it. Throws Error(kPlacement) with the figures
/// and the remedies, on each of them, where together they plan to allocate more than is available; to be called before
/// anything is.
void require_memory(const Communicator& sharers, const MemoryPlan& plan, std::int64_t available_bytes,
                    const std::string& where);
/// Of a node's ranks and its memory.
void require_memory(const Communicator& node, const MemoryPlan& plan,
                    std::int64_t available_bytes = available_memory());

/// Throws Error(kPlacement) where a launcher started several tasks (`slurm_tasks`: the variable SLURM_NTASKS, if set)
/// and each believes it is alone, and says which `srun --mpi=` to try for the MPI library named.
void require_common_world(int world_size, const std::optional<std::string>& slurm_tasks,
                          const std::string& mpi_library);

}  // namespace cpbench
