// Times a point.
#pragma once

#include <functional>
#include <vector>

#include "run/executor.hpp"
#include "run/timing.hpp"
#include "transport/communicator.hpp"

namespace cpbench {

/// The programs of one point on this rank, over the same buffers.
struct Variants {
  Executor& compute_only;
  Executor& comm_only;
  Executor& full;
};

struct MeasureOptions {
  int warmup = 3;       ///< untimed iterations of each variant
  int iterations = 20;  ///< at least 1
  Pass pass = Pass::kForwardBackward;
  std::function<void()> before_last = [] {};  ///< called before the full variant of the last iteration, untimed
  /// Called before the first iteration, warm-up or not, and after each, untimed.
  std::function<void(int done, int iterations)> progressed = [](int, int) {};
};

struct Measurement {
  Timing timing;            ///< the same on every rank
  std::vector<Span> spans;  ///< of this rank, in the full iteration whose time is nearest to the median
};

/// Collective. Every iteration runs each variant once, so that drift of the machine meets all alike, and each after a
/// barrier of its own. A rank's time goes from the barrier to the end of its pass; an iteration's is the maximum over
/// ranks. The backward pass is preceded by one untimed forward pass. The full programs come last in each iteration:
/// afterwards the buffers hold what the last timed one of them made.
Measurement measure(const Communicator& communicator, const Variants& variants, const MeasureOptions& options);

}  // namespace cpbench
