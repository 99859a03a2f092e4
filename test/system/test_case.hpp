// A case with everything else that a run in one process depends on, and random ones by seed.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "backend/cpu/cpu_backend.hpp"
#include "schedule/case.hpp"
#include "system/case_job.hpp"
#include "validate/input.hpp"

namespace cpbench::test {

struct TestCase {
  Case c;
  InputKind input = InputKind::kNormal;
  std::uint64_t seed = 0;  ///< of the inputs and of the disorder
  int max_delay = 0;
  std::string kernel = "simple";

  Inputs inputs() const { return Inputs(c.problem, input, seed); }
  JobOptions options() const { return {.max_delay = max_delay, .seed = seed}; }
  CaseJob job(const JobOptions& options) const {
    return {c, inputs(), [this] { return std::make_unique<CpuBackend>(kernel, /*threads=*/1); }, options};
  }
};

/// Runs the case once, as its pass says: a backward pass alone comes after the forward pass whose results it needs.
Results run_once(const TestCase& t, const JobOptions& options);

/// A legal case over all axes, of 1 to 8 ranks and a size that the brute force can afford. The same for a seed
/// everywhere.
TestCase random_case(std::uint64_t seed);

/// The flags of `cpbench run` that make the same case.
std::string flags_of(const TestCase& t);
std::ostream& operator<<(std::ostream& stream, const TestCase& t);

}  // namespace cpbench::test
