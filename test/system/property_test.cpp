// Random cases over all axes against attention by definition in fp64.
//
// CPBENCH_PROPERTY_SEED=417 runs that case alone; CPBENCH_PROPERTY_CASES=10000 runs as many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "system/mismatches.hpp"
#include "system/test_case.hpp"

namespace cpbench::test {
namespace {

constexpr std::uint64_t kCases = 1000;

auto seeds() {
  if (const char* seed = std::getenv("CPBENCH_PROPERTY_SEED")) {
    const std::uint64_t value = std::strtoull(seed, nullptr, 10);
    return testing::Range(value, value + 1);
  }
  const char* cases = std::getenv("CPBENCH_PROPERTY_CASES");
  return testing::Range(std::uint64_t{0}, cases == nullptr ? kCases : std::uint64_t{std::strtoull(cases, nullptr, 10)});
}

class Property : public testing::TestWithParam<std::uint64_t> {};

void expect_no_mismatch(const TestCase& t, const Expectation& expectation, const Results& results, const char* when) {
  for (const std::string& line : mismatches(t.c, expectation, results)) ADD_FAILURE() << when << ": " << line;
}

TEST_P(Property, ResultsAreThoseOfTheDefinition) {
  const TestCase t = random_case(GetParam());
  SCOPED_TRACE(testing::Message() << "CPBENCH_PROPERTY_SEED=" << GetParam() << "\n" << t);
  const Expectation expectation = expect(t.c, t.inputs());
  CaseJob job = t.job(t.options());
  if (t.c.pass != Pass::kBackward) {
    job.run(Pass::kForwardBackward);
    expect_no_mismatch(t, expectation, job.results(), "after the run");
    return;
  }
  // The backward part can be repeated from what one forward part left.
  job.run(Pass::kForward);
  job.run(Pass::kBackward);
  expect_no_mismatch(t, expectation, job.results(), "after the first backward part");
  job.run(Pass::kBackward);
  expect_no_mismatch(t, expectation, job.results(), "after the second backward part");
}

INSTANTIATE_TEST_SUITE_P(Seeds, Property, seeds());

}  // namespace
}  // namespace cpbench::test
