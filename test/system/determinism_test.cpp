// What must not show in the results, not even in their last bit.
#include <gtest/gtest.h>

#include "system/test_case.hpp"

namespace cpbench::test {
namespace {

class Determinism : public testing::TestWithParam<std::uint64_t> {
 protected:
  TestCase t_ = random_case(GetParam());
  testing::ScopedTrace trace_{__FILE__, __LINE__, testing::Message() << t_};
};

TEST_P(Determinism, RunningAgainOnTheSameBuffersChangesNothing) {
  InProcessJob job(t_.c, t_.inputs(), t_.options());
  job.run(Part::kAll);
  const Results first = job.results();
  for (int again = 0; again < 2; ++again) {
    job.run(Part::kAll);
    EXPECT_EQ(job.results(), first);
  }
}

TEST_P(Determinism, NeitherDelaysNorTheOrderOfRanksShow) {
  const Results expected = run_once(t_, {.disorder = {.max_delay = 0, .seed = 0}, .kernel = t_.kernel});
  for (const int max_delay : {0, 3, 40}) {
    const Disorder disorder{.max_delay = max_delay, .seed = GetParam() + 1};
    EXPECT_EQ(run_once(t_, {.disorder = disorder, .kernel = t_.kernel}), expected) << "delays up to " << max_delay;
  }
}

TEST_P(Determinism, NeitherOverlapNorPruningShows) {
  t_.c.overlap = t_.c.prune = false;
  const Results expected = run_once(t_, t_.options());
  for (const auto& [overlap, prune] : {std::pair{true, false}, {false, true}, {true, true}}) {
    t_.c.overlap = overlap;
    t_.c.prune = prune;
    EXPECT_EQ(run_once(t_, t_.options()), expected) << t_;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Determinism, testing::Range(std::uint64_t{0}, std::uint64_t{60}));

}  // namespace
}  // namespace cpbench::test
