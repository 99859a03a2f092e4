// What planning is said to take is about what it takes: a job is refused for it.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <numeric>

#include "schedule/algorithm.hpp"
#include "schedule/schedule.hpp"
#include "schedule/verify.hpp"

namespace {

std::atomic<std::int64_t> in_use = 0, most_in_use = 0;

void count(std::int64_t bytes) {
  const std::int64_t now = in_use += bytes;
  for (std::int64_t most = most_in_use; now > most && !most_in_use.compare_exchange_weak(most, now);) {
  }
}

/// As the system sees it, with what malloc keeps beside it.
std::int64_t size_of(void* block) { return static_cast<std::int64_t>(malloc_usable_size(block) + sizeof(std::size_t)); }

}  // namespace

void* operator new(std::size_t bytes) {
  void* const block = std::malloc(bytes);
  if (block == nullptr) throw std::bad_alloc();
  count(size_of(block));
  return block;
}
void operator delete(void* block) noexcept {
  if (block != nullptr) count(-size_of(block));
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace cpbench {
namespace {

struct Planned {
  const char* algorithm;
  Grid grid;
  Mask mask = Mask::causal();
  ShardKind shard = ShardKind::kZigzag;
  std::int64_t documents = 1;  ///< of unequal lengths
};

constexpr std::int64_t kSeqLen = 1'000'003;

/// Lengths that grow by one step from each to the next.
Documents growing(std::int64_t count) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < count; ++i) lengths.push_back(2 * kSeqLen * (i + 1) / (count * (count + 1)));
  lengths.back() += kSeqLen - std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  return Documents::from_lengths(lengths, kSeqLen);
}

std::ostream& operator<<(std::ostream& stream, const Planned& p) {
  return stream << p.algorithm << " " << p.grid.ulysses << " x " << p.grid.outer << " x " << p.grid.inner << ", "
                << to_string(p.mask) << ", " << name_of(p.shard) << ", " << p.documents << " documents";
}

class PlanningBytes : public testing::TestWithParam<Planned> {};

TEST_P(PlanningBytes, AreWithinAThirdOfThePeak) {
  Case c;
  c.algorithm = find_algorithm(GetParam().algorithm);
  c.grid = GetParam().grid;
  c.shard = GetParam().shard;
  c.problem.seq_len = kSeqLen;
  c.problem.documents = growing(GetParam().documents);
  c.problem.heads = 256;
  c.problem.kv_heads = 8;
  c.problem.mask = GetParam().mask;
  const std::int64_t expected = planning_bytes(c), before = in_use;
  most_in_use = before;
  EXPECT_TRUE(verify(build_schedule(c)).passed);
  const auto most = static_cast<double>(most_in_use - before);
  EXPECT_NEAR(static_cast<double>(expected) / most, 1, 0.3) << "of " << most << " bytes";
}

constexpr RankOrder kRingInner = RankOrder::kRingInner;
INSTANTIATE_TEST_SUITE_P(
    Jobs, PlanningBytes,
    testing::Values(Planned{"ring", {.inner = 256}}, Planned{"double-ring", {.outer = 16, .inner = 16}},
                    Planned{"hybrid", {.ulysses = 2, .inner = 128}}, Planned{"hybrid", {.ulysses = 8, .inner = 64}},
                    Planned{"hybrid", {.ulysses = 32, .inner = 16}},
                    Planned{"hybrid", {.ulysses = 8, .outer = 4, .inner = 16}},
                    Planned{"hybrid", {.ulysses = 8, .inner = 64, .order = kRingInner}},
                    Planned{"ulysses", {.ulysses = 256}, Mask::causal(), ShardKind::kContiguous},
                    Planned{"all-gather", {.inner = 128}, Mask::full(), ShardKind::kContiguous},
                    Planned{"all-gather", {.inner = 128}, Mask::causal(), ShardKind::kContiguous},
                    Planned{"all-gather", {.inner = 128}}, Planned{"ring", {.inner = 256}, Mask::window(4096, 0)},
                    Planned{"ring", {.inner = 128}, Mask::causal(), ShardKind::kStriped, 40},
                    Planned{"ring", {.inner = 128}, Mask::causal(), ShardKind::kZigzagDocs, 40},
                    Planned{"ring", {.inner = 128}, Mask::causal(), ShardKind::kZigzag, 40},
                    Planned{"ring", {.inner = 64}, Mask::causal(), ShardKind::kStriped, 400},
                    Planned{"all-gather", {.inner = 64}, Mask::causal(), ShardKind::kStriped, 40},
                    Planned{"all-gather", {.inner = 32}, Mask::causal(), ShardKind::kZigzagDocs, 100},
                    Planned{"hybrid", {.ulysses = 8, .inner = 32}, Mask::causal(), ShardKind::kZigzagDocs, 40}));

}  // namespace
}  // namespace cpbench
