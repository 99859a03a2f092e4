// The simulation beside the real executor and the real emulated link, on a clock that the test sets. Compute takes no
// time in either: it would block the thread of all ranks.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "estimate/simulation.hpp"
#include "run/hand_built.hpp"
#include "schedule/small_cases.hpp"
#include "transport/emulated_link.hpp"

namespace cpbench {
namespace {

/// Host memory in which nothing is computed.
class IdleBackend : public FakeBackend {
 public:
  Computation prepare(const Op&, const ProgramMemory&) override {
    return [](const Poll&) {};
  }
};

/// All ranks of a schedule; times are nanoseconds of the clock.
class Twin {
 public:
  Twin(const Schedule& schedule, const LinkModel& links) : hub_(static_cast<int>(schedule.programs.size())) {
    for (const Program& program : schedule.programs) {
      const auto rank = static_cast<int>(executors_.size());
      const BufferSet& buffers = buffers_.emplace_back(schedule.of.problem, program, backend_);
      EmulatedLink& link = links_.emplace_back(hub_.transport(rank), rank, links, [this] { return now_ns_; });
      executors_.emplace_back(buffers, program, backend_, link);
    }
  }

  std::vector<std::int64_t> run(Pass pass) {
    constexpr std::int64_t kLongest = 1'000'000;
    for (Executor& executor : executors_) executor.start(pass);
    std::vector<std::int64_t> finished(executors_.size(), -1);
    for (std::size_t left = executors_.size(); left > 0; ++now_ns_) {
      if (now_ns_ > kLongest) throw std::logic_error("the ranks wait for each other");
      constexpr int kIdleRounds = 2;  // what one rank releases in a round its peers may only see in the next
      for (int idle = 0; idle < kIdleRounds; ++idle) {
        const std::size_t before = done_count();
        for (std::size_t rank = 0; rank < executors_.size(); ++rank) {
          if (finished[rank] >= 0 || !executors_[rank].advance()) continue;
          finished[rank] = now_ns_;
          --left;
        }
        if (done_count() != before) idle = -1;
      }
    }
    return finished;
  }

 private:
  std::size_t done_count() const {
    std::size_t done = 0;
    for (const Executor& executor : executors_) done += executor.done_count();
    return done;
  }

  IdleBackend backend_;
  LoopbackHub hub_;
  std::int64_t now_ns_ = 0;
  std::deque<BufferSet> buffers_;
  std::deque<EmulatedLink> links_;
  std::deque<Executor> executors_;
};

class ExecutorTwin : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ExecutorTwin, FinishesWhenTheSimulationSays) {
  std::mt19937_64 random(GetParam());
  const Case c = random_small_case(random);
  SCOPED_TRACE(describe(c));
  const Schedule schedule = build_schedule(c);
  MachineModel machine;
  machine.forward_flops_per_second = machine.backward_flops_per_second = 1e30;
  // Messages are multiples of 2 bytes: their times are whole.
  machine.links.speeds = {LinkModel::Speed{2e9, 3e-9}, LinkModel::Speed{0.5e9, 7e-9}, LinkModel::Speed{1e9, 0}};
  machine.links.ranks_per_node = static_cast<int>(random() % 4);
  for (const Schedule& variant : {schedule, without_compute(schedule)}) {
    const std::vector<RankTime> times = simulate(variant, machine);
    const std::vector<std::int64_t> expected = Twin(variant, machine.links).run(c.pass);
    for (std::size_t rank = 0; rank < times.size(); ++rank) {
      EXPECT_NEAR(times[rank].finished_s * 1e9, static_cast<double>(expected[rank]), 1e-3) << "rank " << rank;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Random, ExecutorTwin, testing::Range<std::uint64_t>(0, 300));

}  // namespace
}  // namespace cpbench
