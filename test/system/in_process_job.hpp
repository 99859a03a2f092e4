// A whole job in one process and one thread: every rank's program on its own memory, joined by a loopback transport.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "run/executor.hpp"
#include "run/fault_injector.hpp"
#include "run/host_buffers.hpp"
#include "system/results.hpp"
#include "transport/loopback.hpp"
#include "validate/input.hpp"

namespace cpbench::test {

/// How the ranks get out of step: nothing of it may show in the results.
struct Disorder {
  int max_delay = 0;       ///< of messages, in calls of Transport::test
  std::uint64_t seed = 0;  ///< of the delays and of the order in which ranks advance
};

struct JobOptions {
  Disorder disorder = {};
  std::string kernel = "simple";
  /// What to plant on a rank; nothing where it is not set.
  std::function<Plant(const Schedule&, int rank)> plant = {};
  /// The backend of a rank; the CPU's with `kernel` where it is not set.
  std::function<std::unique_ptr<Backend>()> make_backend = {};
  int patience = 2;  ///< rounds in which nothing is done before the job stands still
};

class InProcessJob {
 public:
  /// Builds and verifies the schedule and fills the ranks' inputs. A schedule that does not verify is a
  /// std::logic_error, a case that is refused an Error.
  InProcessJob(const Case& c, const Inputs& inputs, JobOptions options = {});
  /// Runs a schedule that need not verify.
  InProcessJob(Schedule schedule, const Inputs& inputs, JobOptions options = {});

  ~InProcessJob();

  const Schedule& schedule() const { return schedule_; }

  /// Runs a pass of every rank's program to its end. A job that stands still is a std::logic_error that names what each
  /// rank is waiting with. May be called again and again.
  void run(Pass pass);

  /// What the ranks' result buffers hold. Gradients are zero where the case has no backward pass.
  Results results() const;

 private:
  struct Rank;

  void fill_inputs(const Inputs& inputs);
  bool advance_all();
  std::size_t operations_done() const;
  [[noreturn]] void report_standstill(Pass pass) const;

  std::unique_ptr<Backend> make_backend() const;

  JobOptions options_;
  Schedule schedule_;
  std::mt19937_64 random_;
  LoopbackHub hub_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

}  // namespace cpbench::test
