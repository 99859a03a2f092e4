#include "run/placement.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <set>

#include "support/allowed_cpus.hpp"
#include "support/counted.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

int to_int(const std::string& text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string format_cpus(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[i]);
    if (end - i > 1) text += fmt::format("-{}", cpus[end - 1]);
    i = end;
  }
  return text;
}

Placement find_placement(const Communicator& world, const Communicator& node) {
  Placement placement{
      .host = host_name(), .local_rank = node.rank(), .local_size = node.size(), .cpus = allowed_cpus()};
  std::set<int> all;
  for (const std::vector<int>& cpus : node.allgatherv(placement.cpus)) all.insert(cpus.begin(), cpus.end());
  placement.node_cpus = static_cast<int>(all.size());
  placement.smallest_node_cpus = world.min_over_ranks(placement.node_cpus);
  placement.threads_per_rank = world.min_over_ranks(std::max(1, placement.node_cpus / placement.local_size));
  placement.ranks_per_node = placement.local_size;
  for (const int size : world.allgather(placement.local_size)) {
    placement.ranks_per_node = std::gcd(placement.ranks_per_node, size);
  }
  return placement;
}

Placement find_placement(const Communicator& world) { return find_placement(world, world.node()); }

bool cores_suffice(const Placement& placement, int threads) {
  return std::int64_t{threads} * placement.local_size <= placement.node_cpus &&
         threads <= static_cast<int>(placement.cpus.size());
}

bool cores_suffice(const Communicator& world, const Placement& placement, int threads) {
  return world.min_over_ranks(cores_suffice(placement, threads) ? 1 : 0) == 1;
}

std::string thread_warning(const Placement& placement, int threads) {
  if (cores_suffice(placement, threads)) return "";
  const int cpus = static_cast<int>(placement.cpus.size());
  if (threads > cpus) {
    return fmt::format(
        "warning: {} threads share {} ({}) on {}: mpirun binds a rank to one core unless told otherwise; use "
        "`mpirun --bind-to none`, `srun --cpus-per-task={}` or --threads {}",
        threads, counted(cpus, "CPU"), format_cpus(placement.cpus), placement.host, threads, cpus);
  }
  return fmt::format(
      "warning: {} of {} each share {} on {}: their times are those of ranks that wait for each other's cores; use "
      "at most {} per node",
      counted(placement.local_size, "rank"), counted(threads, "thread"), counted(placement.node_cpus, "CPU"),
      placement.host, counted(std::max(1, placement.node_cpus / threads), "such rank"));
}

std::string thread_warning(const Communicator& world, const Placement& placement, int threads) {
  return world.first_nonempty(thread_warning(placement, threads));
}

std::string text_of_remedies(const std::vector<std::string>& remedies) {
  std::string text;
  for (std::size_t i = 0; i < remedies.size(); ++i) {
    text += (i == 0 ? "; use " : i + 1 < remedies.size() ? ", " : " or ") + remedies[i];
  }
  return text;
}

void require_memory(const Communicator& sharers, const MemoryPlan& plan, std::int64_t available_bytes,
                    const std::string& where) {
  const auto sum = [&](std::int64_t bytes) { return sharers.sum_over_ranks(static_cast<double>(bytes)); };
  const double planned = sum(plan.bytes);
  const auto available = static_cast<double>(sharers.min_over_ranks(available_bytes));
  if (planned <= available) return;
  std::vector<std::string> remedies = plan.remedies;
  for (const MemoryPlan::Alternative& other : plan.alternatives) {
    if (sum(other.bytes()) < planned) remedies.push_back(other.use);
  }
  if (sharers.size() > 1) remedies.insert(remedies.begin(), "fewer ranks there");
  throw Error(ExitCode::kPlacement,
              fmt::format("not enough memory on {}: {} plan{} {} for {}, but only {} is available{}", where,
                          counted(sharers.size(), "rank"), sharers.size() == 1 ? "s" : "", bytes_text(planned),
                          plan.what, bytes_text(available), text_of_remedies(remedies)));
}

void require_memory(const Communicator& node, const MemoryPlan& plan, std::int64_t available_bytes) {
  require_memory(node, plan, available_bytes, host_name());
}

void require_common_world(int world_size, const std::optional<std::string>& slurm_tasks,
                          const std::string& mpi_library) {
  if (world_size > 1 || !slurm_tasks || to_int(*slurm_tasks) <= 1) return;
  const bool is_open_mpi = mpi_library.starts_with("Open MPI");
  throw Error(
      ExitCode::kPlacement,
      fmt::format("SLURM_NTASKS is {}, but this rank is alone in MPI_COMM_WORLD: {} did not find its peers. Try "
                  "`srun --mpi={}` (`srun --mpi=list` shows what there is), or mpirun. To run one rank inside "
                  "this allocation on purpose, use `srun -n 1` or unset SLURM_NTASKS.",
                  *slurm_tasks, mpi_library, is_open_mpi ? "pmix" : "pmi2"));
}

}  // namespace cpbench
