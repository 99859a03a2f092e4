#include "run/measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "support/clock.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kVariants = 3;

double seconds_of(const Communicator& communicator, Executor& executor, Pass pass) {
  communicator.barrier();
  const std::int64_t begin = now_ns();
  executor.run(pass);
  return static_cast<double>(now_ns() - begin) * 1e-9;
}

std::size_t nearest_to(double value, const std::vector<double>& samples) {
  const auto nearest =
      std::ranges::min_element(samples, {}, [value](double sample) { return std::abs(sample - value); });
  return static_cast<std::size_t>(nearest - samples.begin());
}

}  // namespace

Measurement measure(const Communicator& communicator, const Variants& variants, const MeasureOptions& options) {
  if (options.iterations < 1 || options.warmup < 0) throw std::logic_error("measure: nothing to measure");
  const std::array<Executor*, kVariants> executors = {&variants.compute_only, &variants.comm_only, &variants.full};

  if (options.pass == Pass::kBackward) variants.full.run(Pass::kForward);
  int done = 0;
  const auto progressed = [&] { options.progressed(done++, options.warmup + options.iterations); };
  progressed();
  for (int i = 0; i < options.warmup; ++i) {
    for (Executor* executor : executors) seconds_of(communicator, *executor, options.pass);
    progressed();
  }

  std::array<std::vector<double>, kVariants> seconds;  // they grow as they come: a timeout may end the run long before
  std::vector<std::vector<Span>> spans;
  for (int i = 0; i < options.iterations; ++i) {
    for (std::size_t variant = 0; variant < kVariants; ++variant) {
      if (executors[variant] == &variants.full && i + 1 == options.iterations) options.before_last();
      seconds[variant].push_back(seconds_of(communicator, *executors[variant], options.pass));
    }
    spans.push_back(variants.full.spans());
    progressed();
  }
  for (std::vector<double>& samples : seconds) communicator.max(samples);

  const Timing timing{.full = summarize(std::move(seconds[2])),
                      .compute_only = summarize(std::move(seconds[0])),
                      .comm_only = summarize(std::move(seconds[1]))};
  return {timing, std::move(spans[nearest_to(timing.full.median_s, timing.full.samples_s)])};
}

}  // namespace cpbench
