#include "run/measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "run/clock.hpp"

namespace cpbench {
namespace {

constexpr std::size_t kVariants = 3;

double seconds_of(const Communicator& communicator, Executor& executor, Part part) {
  communicator.barrier();
  const std::int64_t begin = now_ns();
  executor.run(part);
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
  const auto iterations = static_cast<std::size_t>(options.iterations);

  if (options.part == Part::kBackward) variants.full.run(Part::kForward);
  for (int i = 0; i < options.warmup; ++i) {
    for (Executor* executor : executors) seconds_of(communicator, *executor, options.part);
  }

  std::vector<double> seconds(kVariants * iterations);  // by variant, then iteration
  std::vector<std::vector<Span>> spans(iterations);
  for (std::size_t i = 0; i < iterations; ++i) {
    for (std::size_t variant = 0; variant < kVariants; ++variant) {
      seconds[variant * iterations + i] = seconds_of(communicator, *executors[variant], options.part);
    }
    spans[i] = variants.full.spans();
  }
  communicator.max_each_over_ranks(seconds);

  const auto summary = [&](std::size_t variant) {
    const auto begin = seconds.begin() + static_cast<std::ptrdiff_t>(variant * iterations);
    return summarize({begin, begin + options.iterations});
  };
  const Timing timing{.full = summary(2), .compute_only = summary(0), .comm_only = summary(1)};
  return {timing, std::move(spans[nearest_to(timing.full.median_s, timing.full.samples_s)])};
}

}  // namespace cpbench
