#include "run/placement.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "run/device_binding.hpp"
#include "support/allowed_cpus.hpp"
#include "support/error.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

/// A directory with the files of a made-up machine.
class FakeRoot : public testing::Test {
 protected:
  FakeRoot() { write("proc/meminfo", "MemTotal: 64000 kB\nMemFree: 10 kB\nMemAvailable:   1000 kB\n"); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  const TemporaryDirectory temporary_;
  const fs::path& root_ = temporary_.path();
};

TEST_F(FakeRoot, AvailableMemoryIsTheKernels) { EXPECT_EQ(available_memory(root_), 1000 * 1024); }

TEST_F(FakeRoot, CpusNearADeviceAreThoseOfItsNumaNode) {
  write("sys/bus/pci/devices/0000:1b:00.0/local_cpulist", "0-3,8,16-17\n");
  const std::vector<int> allowed = {2, 3, 4, 8, 17};
  EXPECT_EQ(near_cpus("0000:1B:00.0", allowed, root_), (std::vector<int>{2, 3, 8, 17})) << "CUDA's letters are large";
  EXPECT_EQ(near_cpus("0000:1b:00.0", {4, 5}, root_), (std::vector<int>{4, 5})) << "none of them is allowed";
  EXPECT_EQ(near_cpus("0000:1c:00.0", allowed, root_), allowed) << "nothing is known";
}

TEST_F(FakeRoot, AControlGroupsLimitCountsIfItIsTighter) {
  write("proc/self/cgroup", "0::/job/step\n");
  write("sys/fs/cgroup/job/step/memory.max", "max\n");
  write("sys/fs/cgroup/job/memory.max", "500000\n");
  write("sys/fs/cgroup/job/memory.current", "300000\n");
  write("sys/fs/cgroup/job/memory.stat", "anon 200000\ninactive_file 100000\n");
  EXPECT_EQ(available_memory(root_), 300000) << "file pages are given up on demand";
  write("sys/fs/cgroup/job/step/memory.max", "250000\n");
  EXPECT_EQ(available_memory(root_), 250000);
  write("sys/fs/cgroup/job/step/memory.current", "260000\n");
  EXPECT_EQ(available_memory(root_), 0);
}

TEST_F(FakeRoot, VersionOneGroupsCountToo) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/job\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "400000\n");
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "150000\n");
  write("sys/fs/cgroup/memory/job/memory.stat", "total_inactive_file 50000\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(available_memory(root_), 300000);
}

TEST_F(FakeRoot, AGroupOutsideTheMountIsLookedForAtItsRoot) {
  write("proc/self/cgroup", "0::/not/visible/here\n");
  write("sys/fs/cgroup/memory.max", "700000\n");
  EXPECT_EQ(available_memory(root_), 700000);
}

TEST(Placement, ThisMachineHasMemoryAndCpus) {
  EXPECT_GT(available_memory(), 0);
  EXPECT_FALSE(allowed_cpus().empty());
}

TEST(Placement, FormatsCpusAsRanges) {
  EXPECT_EQ(format_cpus({}), "");
  EXPECT_EQ(format_cpus({4}), "4");
  EXPECT_EQ(format_cpus({0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
}

TEST(Placement, CoresSufficeWhereEachThreadHasOne) {
  EXPECT_TRUE(cores_suffice({"host", 0, 4, {0, 1}, 8}, 2));
  EXPECT_FALSE(cores_suffice({"host", 0, 4, {0, 1}, 8}, 3));
  EXPECT_FALSE(cores_suffice({"host", 0, 5, {0, 1}, 8}, 2));
  EXPECT_FALSE(cores_suffice({"host", 0, 1, {0}, 8}, 2)) << "bound to one core";
}

TEST(Placement, WarnsOfMoreThreadsThanCpus) {
  const Placement bound{"node7", 0, 1, {3}, 1};
  EXPECT_EQ(thread_warning(bound, 1), "");
  const std::string warning = thread_warning(bound, 8);
  for (const char* part : {"8 threads", "1 CPU (3)", "node7", "--bind-to none", "--threads 1"}) {
    EXPECT_NE(warning.find(part), std::string::npos) << part << " is not in: " << warning;
  }
}

TEST(Placement, WarnsOfMoreRanksThanTheNodesCpusServe) {
  EXPECT_EQ(thread_warning({"node7", 0, 2, {0, 1, 2, 3}, 4}, 2), "");
  const std::string warning = thread_warning({"node7", 0, 8, {0, 1}, 2}, 1);
  for (const char* part : {"8 ranks of 1 thread each", "2 CPUs", "node7", "at most 2 such ranks"}) {
    EXPECT_NE(warning.find(part), std::string::npos) << part << " is not in: " << warning;
  }
}

TEST(Placement, RefusesRanksThatDidNotFindEachOther) {
  require_common_world(1, {}, "Open MPI v4.1.4");
  require_common_world(1, "1", "Open MPI v4.1.4");
  require_common_world(8, "8", "Open MPI v4.1.4");
  const auto refusal = [](const char* library) -> std::string {
    try {
      require_common_world(1, "8", library);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kPlacement);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(refusal("Open MPI v4.1.4").find("srun --mpi=pmix"), std::string::npos);
  EXPECT_NE(refusal("MPICH Version: 4.0.2").find("srun --mpi=pmi2"), std::string::npos);
  EXPECT_NE(refusal("MPICH Version: 4.0.2").find("SLURM_NTASKS is 8"), std::string::npos);
}

}  // namespace
}  // namespace cpbench
