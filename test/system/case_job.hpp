// A case run by all its ranks in one process, from the inputs to the results in global order.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "run/host_buffers.hpp"
#include "run/in_process_job.hpp"
#include "system/results.hpp"
#include "validate/input.hpp"

namespace cpbench::test {

using MakeBackend = std::function<std::unique_ptr<Backend>()>;

class CaseJob {
 public:
  /// Builds and verifies the schedule and fills the ranks' inputs; each rank has a backend of its own. A schedule that
  /// does not verify is a std::logic_error, a case that is refused an Error.
  CaseJob(const Case& c, const Inputs& inputs, const MakeBackend& make_backend, const JobOptions& options);

  /// As InProcessJob.
  void run(Pass pass) { job_.run(pass); }

  /// What the ranks' result buffers hold. Gradients are zero where the case has no backward pass.
  Results results();

 private:
  const Schedule schedule_;
  const std::vector<std::unique_ptr<Backend>> backends_;  ///< by rank
  InProcessJob job_;
  std::deque<HostBuffers> hosts_;  ///< by rank
};

}  // namespace cpbench::test
