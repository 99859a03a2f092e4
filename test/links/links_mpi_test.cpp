// Runs as three ranks: their links, measured over MPI.
#include <gtest/gtest.h>

#include "links/link_bench.hpp"
#include "run/hand_built.hpp"
#include "transport/corrupting_transport.hpp"
#include "transport/mpi_transport.hpp"

namespace cpbench {
namespace {

class LinksOnMpi : public testing::Test {
 protected:
  LinkReport measured(const LinkOptions& options, const LinkBench::MakeTransport& make_transport) {
    LinkBench bench(world_, options);
    bench.allocate(backend_);
    bench.prepare(make_transport);
    return bench.measure();
  }
  LinkReport measured(const LinkOptions& options) {
    return measured(options, [&] { return std::make_unique<MpiTransport>(world_); });
  }

  Communicator world_ = Communicator::world();
  FakeBackend backend_;
};

TEST_F(LinksOnMpi, HaveTimesOfAllPatternsThatRanksAgreeOn) {
  const LinkReport report =
      measured({.ranks_per_node = 2, .all_to_all = true, .message_bytes = 65536, .repetitions = 4});
  EXPECT_EQ(report.repetitions, 4);
  EXPECT_TRUE(report.corruptions.empty());
  ASSERT_EQ(report.patterns.size(), 3u);
  const std::array<Link, 3> links = {Link::kInner, Link::kOuter, Link::kAllToAll};
  const std::array<int, 3> ranks = {2, 2, 3};  // the third rank is alone on its node
  for (std::size_t i = 0; i < links.size(); ++i) {
    const PatternReport& pattern = report.patterns[i];
    EXPECT_EQ(pattern.link, links[i]);
    EXPECT_EQ(pattern.ranks, ranks[i]);
    EXPECT_EQ(pattern.times.size(), 4u);
    for (const auto& [bytes, min_s, median_s] : pattern.times) {
      EXPECT_GT(min_s, 0);
      EXPECT_GE(median_s, min_s);
      EXPECT_EQ(world_.min_over_ranks(min_s + median_s), world_.max_over_ranks(min_s + median_s));
    }
  }
  ASSERT_EQ(report.pairs.size(), 6u);
  EXPECT_EQ(report.pairs[0].pair, (Pair{0, 1}));
  EXPECT_EQ(report.pairs[0].link, Link::kInner);
  EXPECT_EQ(report.pairs[5].pair, (Pair{2, 1}));
  EXPECT_EQ(report.pairs[5].link, Link::kOuter);
  for (const PairReport& pair : report.pairs) {
    EXPECT_GT(pair.figures.latency_s, 0);
    EXPECT_EQ(world_.min_over_ranks(pair.figures.latency_s), world_.max_over_ranks(pair.figures.latency_s));
  }
}

/// A held message is late by as much as its link takes at least, so these hold however busy the machine is.
TEST_F(LinksOnMpi, AreNoFasterThanTheyAreEmulated) {
  const LinkModel::Speed inner{.bytes_per_second = 1e8, .latency_s = 1e-3};
  LinkModel model;
  model.speeds[static_cast<std::size_t>(Link::kInner)] = inner;
  const LinkReport report =
      measured({.ranks_per_node = 3, .message_bytes = 1 << 20, .repetitions = 3, .emulated = model});
  ASSERT_EQ(report.patterns.size(), 1u);
  for (const auto& [bytes, min_s, median_s] : report.patterns[0].times) {
    EXPECT_GE(min_s, inner.latency_s + static_cast<double>(bytes) / inner.bytes_per_second - 1e-8) << bytes;
  }
  for (const PairReport& pair : report.pairs) EXPECT_GE(pair.figures.latency_s, inner.latency_s);
}

TEST_F(LinksOnMpi, ThatLoseABitAreNamedWithItsPlace) {
  constexpr std::int64_t kByte = 12345;
  const LinkReport report = measured({.ranks_per_node = 3, .message_bytes = 65536, .repetitions = 3}, [&] {
    return std::make_unique<CorruptingTransport>(std::make_unique<MpiTransport>(world_), world_.rank(),
                                                 CorruptingTransport::Defect{2, 1, kByte});
  });
  ASSERT_EQ(report.corruptions.size(), 1u) << "the hop from 2 goes to 0, and shorter messages end before the byte";
  EXPECT_EQ(report.corruptions[0].pair, (Pair{2, 1}));
  EXPECT_EQ(report.corruptions[0].bytes, 65536);
  EXPECT_EQ(report.corruptions[0].first_wrong, kByte);
  EXPECT_EQ(report.corruptions[0].times, 4) << "warming up is checked, too";
}

}  // namespace
}  // namespace cpbench
