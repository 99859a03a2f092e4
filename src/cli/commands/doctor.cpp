// `cpbench doctor`: is this job placed sanely, and what can its machine do?
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iterator>
#include <utility>

#include "backend/cpu/isa.hpp"
#include "cli/commands/job_header.hpp"
#include "cli/commands/job_links.hpp"
#include "cli/commands/job_peaks.hpp"
#include "cli/commands/point_sweep.hpp"
#include "cli/commands/subcommand.hpp"
#include "cli/commands/together.hpp"
#include "cli/commands/watchdog.hpp"
#include "cli/config/cli11.hpp"
#include "result/doctor.hpp"
#include "result/file.hpp"
#include "result/links.hpp"
#include "result/peaks.hpp"
#include "run/device_binding.hpp"
#include "run/placement.hpp"
#include "support/counted.hpp"
#include "support/doing.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

constexpr int kSmallestMessageBytes = 4096;

struct DoctorOptions {
  RunOptions run;
  SweepOptions sweep;  ///< of which ranks_per_node
  bool peaks = false, links = false, all_to_all = false, strict = false;
  int message_bytes = static_cast<int>(LinkOptions{}.message_bytes);
  int repetitions = LinkOptions{}.repetitions;
};

void add_link_options(CLI::App& command, DoctorOptions& options) {
  command.add_flag("--links", options.links, "measure the links between ranks: hops of rings, and each link by itself");
  command.add_flag("--all-to-all", options.all_to_all, "with --links: an all-to-all of all ranks, too");
  add_integer(command, "--message-bytes", options.message_bytes, kSmallestMessageBytes,
              "with --links: of the largest message, a multiple of 8");
  add_integer(command, "-n,--iterations", options.repetitions, 1, "with --links: repetitions");
  add_ranks_per_node(command, options.sweep.ranks_per_node);
}

/// Nothing that the user says is dropped silently.
void refuse_link_options_without_links(const CLI::App& command, const DoctorOptions& options) {
  for (const char* flag : {"--all-to-all", "--message-bytes", "--iterations", "--ranks-per-node", "--transport",
                           "--allow-shared-gpu", "--comm-ctas", "--no-graphs", "--emulate-link"}) {
    if (!options.links && command.count(flag) > 0) refuse("{} is about measured links: give --links, too", flag);
  }
  if (options.message_bytes % kLinkWordBytes != 0) {
    refuse("--message-bytes {} is no multiple of {}", options.message_bytes, kLinkWordBytes);
  }
}

/// What the doctor looks at.
struct Patient {
  Placement placement;
  DeviceBinding device;
  std::optional<Settings> settings;  ///< where links are measured
  int threads;
};

/// Links are measured as `run` would use them, so ranks that it refuses are refused; else what there is is shown.
Patient patient_of(const Communicator& world, const DoctorOptions& options) {
  if (options.links) {
    Execution execution = execution_of(world, options.run, options.sweep);
    const int threads = execution.settings.threads;
    const DeviceBinding device = execution.settings.device;
    return {std::move(execution.placement), device, std::move(execution.settings), threads};
  }
  Placement placement = find_placement(world);
  const DeviceBinding device = bind_device(world, placement, options.run.backend, /*allow_shared=*/true);
  const int threads = placement.threads_per_rank;
  return {std::move(placement), device, std::nullopt, threads};
}

DoctorRecord record_of(const Job& job, const Patient& patient) {
  const DeviceBinding& device = patient.device;
  DoctorRecord record{.header = header_of(job, patient.placement, device, /*config=*/{}),
                      .threads = patient.threads,
                      .backend = device.platform->name(),
                      .isas = isa_names()};
  if (device.info) record.kernels = device.info->kernels;
  for (const std::string& line : device.left_out) record.findings.push_back({Finding::Kind::kDevice, line});
  const std::string warning = thread_warning(*job.world, patient.placement, patient.threads);
  if (!warning.empty()) record.findings.push_back({Finding::Kind::kCores, warning});
  return record;
}

void print_ranks(const DoctorRecord& record) {
  const std::vector<RankInfo>& ranks = record.header.ranks;
  fmt::print("{} of {}{}; {}\n", counted(std::ssize(ranks), "rank"), counted(record.threads, "thread"),
             ranks.size() == 1 ? "" : " each", record.header.environment.mpi.value_or("no MPI"));
  fmt::print("{:>6}  {:<24}{:>6}  {:<16}{}\n", "rank", "host", "local", "cpus", "device");
  for (const RankInfo& r : ranks) {
    fmt::print("{:>6}  {:<24}{:>6}  {:<16}{}\n", r.rank, r.host, r.local_rank, r.cpus,
               r.uuid ? r.device + " " + *r.uuid : r.device);
  }
  fmt::print("instruction sets, the fastest first: {}\n", fmt::join(record.isas, " "));
  if (!record.kernels.empty()) {
    fmt::print("kernels of {}, the best first: {}\n", ranks.front().device, fmt::join(record.kernels, " "));
  }
}

bool has_finding(const DoctorRecord& record, Finding::Kind kind) {
  return std::ranges::any_of(record.findings, [&](const Finding& finding) { return finding.kind == kind; });
}

void add_findings(DoctorRecord& record, std::vector<Finding> findings) {
  std::ranges::move(findings, std::back_inserter(record.findings));
}

void print_peaks(const DoctorRecord& record) {
  fmt::print("per rank, all ranks at once, {}, {}{}:\n{}", counted(record.threads, "thread"), isa(),
             record.peaks.size() == 1 ? "" : "; means, lowest to highest",
             peaks_table(record.peaks, record.header.ranks));
}

void print_links(const LinkReport& links, const std::string& transport) {
  if (links.patterns.empty()) {
    fmt::print("links: one rank has none\n");
    return;
  }
  const std::string emulated = to_string(links.options.emulated);
  fmt::print("links by {}{}, nodes of {}, messages up to {}, best of {}:\n{}", transport,
             emulated.empty() ? "" : " emulated at " + emulated, counted(links.options.ranks_per_node, "rank"),
             bytes_text(static_cast<double>(links.options.message_bytes)), counted(links.repetitions, "repetition"),
             links_table(links));
  if (!links.has_all_pairs) {
    fmt::print("by themselves: the links of neighbours, for there are more than {} ranks\n", kMostRanksOfAllPairs);
  }
}

void print_verdict(const DoctorRecord& record) {
  fmt::print("findings:{}\n", record.findings.empty() ? " none" : "");
  for (const Finding& finding : record.findings) fmt::print("  {}\n", finding.text);
  if (record.exit_code != 0) fmt::print("verdict: FAILED\n");
  const std::string flags = record.links ? plan_flags_of(*record.links) : "";
  if (!flags.empty()) fmt::print("for plan: {}\n", flags);
}

class DoctorCommand : public Subcommand {
 public:
  explicit DoctorCommand(CLI::App& parent) {
    app = parent.add_subcommand("doctor", "Ranks, hosts, bindings, devices, measured peaks and links of this job");
    app->add_flag("--peaks", options_.peaks, "measure FMA peaks, memory bandwidth, the rate of exp and CPU time");
    add_link_options(*app, options_);
    app->add_flag("--strict", options_.strict, "exit with 1 where there are findings, such as a slow rank or link");
    add_job_options(*app, options_.run);
    add_record_options(*app, options_.run);
  }

  ExitCode execute(const Job& job) override {
    const Communicator& world = *job.world;
    together(world, [&] {
      refuse_link_options_without_links(*app, options_);
      if (job.speaks && !options_.run.json.empty()) check_writable(options_.run.json, options_.run.overwrite);
    });
    const Watch watch(*job.watchdog, options_.run.timeout_s, [&](const Interruption&) {
      return is_kept_ ? "; what was measured before is in " + options_.run.json : "";
    });
    const Patient patient = patient_of(world, options_);
    DoctorRecord record = record_of(job, patient);
    if (job.speaks) {
      if (!options_.links && !patient.device.note.empty()) fmt::print("{}\n", patient.device.note);
      print_ranks(record);
    }
    if (options_.peaks) examine_peaks(job, record);
    if (options_.peaks && options_.links) {  // which may take long, or for ever
      together(world, [&] {
        if (job.speaks) keep(record);
      });
    }
    if (options_.links) examine_links(job, patient, record);
    if (job.speaks) conclude(record);
    return static_cast<ExitCode>(record.exit_code);
  }

 private:
  static void examine_peaks(const Job& job, DoctorRecord& record) {
    record.peaks = measured_peaks(*job.world, record.threads);
    if (!job.speaks) return;
    print_peaks(record);
    // Which of the ranks that share a core gets more of it is chance, and why they are slow has been said.
    if (has_finding(record, Finding::Kind::kCores)) return;
    add_findings(record, findings_of(record.peaks, record.header.ranks));
  }

  void examine_links(const Job& job, const Patient& patient, DoctorRecord& record) const {
    const Settings& settings = *patient.settings;
    const int asked = options_.sweep.ranks_per_node;
    record.links = measured_links(*job.world, settings, patient.placement,
                                  {.ranks_per_node = asked > 0 ? asked : patient.placement.ranks_per_node,
                                   .all_to_all = options_.all_to_all,
                                   .message_bytes = options_.message_bytes,
                                   .repetitions = options_.repetitions,
                                   .emulated = settings.link});
    record.transport = settings.route.name(job.world->size());
    if (!record.links->corruptions.empty()) record.exit_code = static_cast<int>(ExitCode::kDevice);
    if (!job.speaks) return;
    add_findings(record, findings_of(*record.links, record.header.ranks));
    print_links(*record.links, settings.route.describe(job.world->size()));
    if (record.links->graph_obstacle.empty()) return;
    warn(job,
         fmt::format("warning: {}: messages are queued one by one, as with --no-graphs", record.links->graph_obstacle));
  }

  void conclude(DoctorRecord& record) {
    const auto code = static_cast<ExitCode>(record.exit_code);
    if (options_.strict && !record.findings.empty()) {
      record.exit_code = static_cast<int>(graver(code, ExitCode::kRegression));
    }
    record.complete = true;
    print_verdict(record);
    keep(record);
  }

  void keep(const DoctorRecord& record) {
    if (options_.run.json.empty()) return;
    write_atomically(options_.run.json, text_of(json_of(record), 2) + "\n", options_.run.overwrite || is_kept_);
    is_kept_ = true;
  }

  DoctorOptions options_;
  std::atomic<bool> is_kept_ = false;  ///< read by the watchdog's thread
};

}  // namespace

std::unique_ptr<Subcommand> make_doctor_command(CLI::App& app) { return std::make_unique<DoctorCommand>(app); }

}  // namespace cpbench
