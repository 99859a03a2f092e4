// `cpbench doctor`: is this job placed sanely, and what can its machine do?
#include <cstdio>

#include "backend/cpu/isa.hpp"
#include "backend/cpu/peaks.hpp"
#include "cli/commands/job_header.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/config/cli11.hpp"
#include "run/device_binding.hpp"
#include "run/placement.hpp"
#include "support/counted.hpp"

namespace cpbench {
namespace {

class DoctorCommand : public Subcommand {
 public:
  explicit DoctorCommand(CLI::App& parent) {
    app = parent.add_subcommand("doctor", "Ranks, hosts, bindings, devices and measured peaks of this job");
    app->add_flag("--peaks", peaks_, "measure FMA peaks, memory bandwidth and the rate of exp");
  }

  ExitCode execute(const Job& job) override {
    const Communicator& world = *job.world;
    const Placement placement = find_placement(world);
    const int threads = placement.threads_per_rank;
    const DeviceBinding device = bind_device(world, placement, "auto", /*allow_shared=*/true);
    const Header header = header_of(job, placement, device, /*config=*/{});
    if (job.speaks && !device.note.empty()) fmt::print("{}\n", device.note);
    if (job.speaks) print_ranks(header, threads);
    for (const std::string& line : device.left_out) fmt::print("{}\n", line);
    if (job.speaks && device.info) {
      fmt::print("kernels of {}, the best first: {}\n", device.info->name, fmt::join(device.info->kernels, " "));
    }
    const std::string warning = thread_warning(world, placement, threads);
    if (job.speaks && !warning.empty()) fmt::print("{}\n", warning);
    if (peaks_) measure_peaks(job, threads);
    return ExitCode::kOk;
  }

 private:
  static void print_ranks(const Header& header, int threads) {
    fmt::print("{} of {}{}; {}\n", counted(std::ssize(header.ranks), "rank"), counted(threads, "thread"),
               header.ranks.size() == 1 ? "" : " each", header.environment.mpi.value_or("no MPI"));
    fmt::print("{:>6}  {:<24}{:>6}  {:<16}{}\n", "rank", "host", "local", "cpus", "device");
    for (const RankInfo& r : header.ranks) {
      fmt::print("{:>6}  {:<24}{:>6}  {:<16}{}\n", r.rank, r.host, r.local_rank, r.cpus,
                 r.uuid ? r.device + " " + *r.uuid : r.device);
    }
    fmt::print("instruction sets, the fastest first: {}\n", fmt::join(isa_names(), " "));
  }

  /// All ranks measure at once, as they would compute at once; the figures are means over ranks.
  static void measure_peaks(const Job& job, int threads) {
    const Communicator& world = *job.world;
    const auto mean = [&](double value) { return world.sum_over_ranks(value) / world.size(); };
    world.barrier();
    const double fp32 = mean(fma_peak_flops(DType::kFp32, threads)), bf16 = mean(fma_peak_flops(DType::kBf16, threads));
    const double bandwidth = mean(memory_bandwidth(threads)), exp = mean(exp_rate(threads));
    if (!job.speaks) return;
    fmt::print("per rank, all ranks at once, {}, {}:\n", counted(threads, "thread"), isa());
    fmt::print("  fp32 FMA          {:8.1f} GFLOP/s\n  bf16              {:8.1f} GFLOP/s\n", fp32 * 1e-9, bf16 * 1e-9);
    fmt::print("  memory bandwidth  {:8.1f} GB/s\n  exp2              {:8.2f} G/s\n", bandwidth * 1e-9, exp * 1e-9);
  }

  bool peaks_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_doctor_command(CLI::App& app) { return std::make_unique<DoctorCommand>(app); }

}  // namespace cpbench
