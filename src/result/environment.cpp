#include "result/environment.hpp"

#include <fmt/chrono.h>
#include <sys/utsname.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace cpbench {
namespace {

// Names in full, no prefixes: Open MPI hands its job's key to the ranks in a variable that starts with OMPI_MCA_.
constexpr auto kKeptVariables = std::to_array<std::string_view>({
    "CPBENCH_CONFIG_DIR",
    "CPBENCH_ISA",
    "CUDA_DEVICE_MAX_CONNECTIONS",
    "CUDA_DEVICE_ORDER",
    "CUDA_VISIBLE_DEVICES",
    "GOMP_CPU_AFFINITY",
    "GOMP_SPINCOUNT",
    "MPICH_ASYNC_PROGRESS",
    "NCCL_ALGO",
    "NCCL_BUFFSIZE",
    "NCCL_CGA_CLUSTER_SIZE",
    "NCCL_CROSS_NIC",
    "NCCL_CUMEM_ENABLE",
    "NCCL_DEBUG",
    "NCCL_GRAPH_MIXING_SUPPORT",
    "NCCL_IB_DISABLE",
    "NCCL_IB_GID_INDEX",
    "NCCL_IB_HCA",
    "NCCL_IB_TC",
    "NCCL_MAX_CTAS",
    "NCCL_MAX_NCHANNELS",
    "NCCL_MAX_P2P_NCHANNELS",
    "NCCL_MIN_CTAS",
    "NCCL_MIN_NCHANNELS",
    "NCCL_MULTI_RANK_GPU_ENABLE",
    "NCCL_NCHANNELS_PER_NET_PEER",
    "NCCL_NET",
    "NCCL_NET_GDR_LEVEL",
    "NCCL_NVLS_ENABLE",
    "NCCL_P2P_DISABLE",
    "NCCL_P2P_LEVEL",
    "NCCL_PROTO",
    "NCCL_SHM_DISABLE",
    "NCCL_SOCKET_IFNAME",
    "OMPI_MCA_btl",
    "OMPI_MCA_btl_tcp_if_include",
    "OMPI_MCA_btl_vader_single_copy_mechanism",
    "OMPI_MCA_hwloc_base_binding_policy",
    "OMPI_MCA_mpi_yield_when_idle",
    "OMPI_MCA_pml",
    "OMPI_MCA_rmaps_base_mapping_policy",
    "OMPI_MCA_rmaps_base_oversubscribe",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "OMP_PLACES",
    "OMP_PROC_BIND",
    "OMP_SCHEDULE",
    "OMP_THREAD_LIMIT",
    "OMP_WAIT_POLICY",
    "SLURM_CPUS_PER_TASK",
    "SLURM_CPU_BIND",
    "SLURM_JOB_ID",
    "SLURM_JOB_NODELIST",
    "SLURM_JOB_NUM_NODES",
    "SLURM_JOB_PARTITION",
    "SLURM_MPI_TYPE",
    "SLURM_NTASKS",
    "UCX_NET_DEVICES",
    "UCX_TLS",
});

utsname system_names() {
  utsname names{};
  ::uname(&names);
  return names;
}

}  // namespace

std::span<const std::string_view> kept_variables() { return kKeptVariables; }

std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return system_names().machine;
}

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

Environment this_environment(std::string_view mpi_library) {
  const utsname names = system_names();
  Environment environment;
  environment.hostname = names.nodename;
  environment.kernel = fmt::format("{} {} {}", names.sysname, names.release, names.machine);
  environment.cpu = cpu_name();
  if (!mpi_library.empty()) environment.mpi = std::string(mpi_library.substr(0, mpi_library.find('\n')));
  for (std::string_view name : kKeptVariables) {
    if (const char* value = std::getenv(std::string(name).c_str())) environment.variables[std::string(name)] = value;
  }
  return environment;
}

}  // namespace cpbench
