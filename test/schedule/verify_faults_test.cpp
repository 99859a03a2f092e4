// Planted faults: verify names each of them, and brute force confirms that they are faults.
#include <gtest/gtest.h>

#include <algorithm>

#include "schedule/brute_force.hpp"
#include "schedule/passes.hpp"
#include "schedule/verify.hpp"

namespace cpbench {
namespace {

/// A ring with everything in it: sinks, grouped heads, both passes, two chunks per rank.
Case small_ring(int ranks) {
  Case c;
  c.algorithm = find_algorithm("ring");
  c.grid = {.ulysses = 1, .outer = 1, .inner = ranks};
  c.problem.seq_len = 12;
  c.problem.documents = Documents::whole(12);
  c.problem.heads = 4;
  c.problem.kv_heads = 2;
  c.problem.head_dim = c.problem.head_dim_v = 8;
  c.problem.sink = true;
  return c;
}

class VerifyFaults : public testing::Test {
 protected:
  VerifyFaults() : schedule_(build_schedule(small_ring(3))) {}

  Program& program(int rank) { return schedule_.programs[static_cast<std::size_t>(rank)]; }

  /// The operation of a rank with this label.
  OpId find(int rank, const std::string& label) {
    const auto& ops = program(rank).ops;
    const auto found = std::ranges::find_if(ops, [&](const Op& op) { return to_string(op.label) == label; });
    if (found == ops.end()) throw std::logic_error("no operation " + label);
    return static_cast<OpId>(found - ops.begin());
  }
  Op& op(int rank, const std::string& label) { return program(rank).ops[static_cast<std::size_t>(find(rank, label))]; }
  template <typename T>
  T& action(int rank, const std::string& label) {
    return std::get<T>(op(rank, label).action);
  }

  /// Operations come and go, after which the dependencies are stated anew, as if the algorithm had meant it so.
  void insert_before(int rank, const std::string& label, Action action, const char* name, bool backward = true) {
    const Op op{.action = action, .label = {name}, .stream = Stream::kCompute, .backward = backward, .after = {}};
    program(rank).ops.insert(program(rank).ops.begin() + find(rank, label), op);
    state_dependencies(program(rank));
  }
  void append(int rank, Action action, const char* name) {
    program(rank).ops.push_back(
        {.action = action, .label = {name}, .stream = Stream::kCompute, .backward = true, .after = {}});
    state_dependencies(program(rank));
  }
  void remove(int rank, const std::string& label) {
    program(rank).ops.erase(program(rank).ops.begin() + find(rank, label));
    state_dependencies(program(rank));
  }
  BufferId add_buffer(int rank, Buffer like, std::int64_t rows) {
    like.rows = rows;
    program(rank).buffers.push_back(like);
    return static_cast<BufferId>(program(rank).buffers.size()) - 1;
  }

  /// Gives an operation a list of its own, which may then be changed, from what is returned on.
  template <typename Pool>
  static auto own_list(Pool& pool, Slice& slice, std::uint32_t extra = 0) {
    const std::vector<typename Pool::value_type> copy(pool.begin() + slice.begin,
                                                      pool.begin() + slice.begin + slice.count);
    slice = {static_cast<std::uint32_t>(pool.size()), slice.count + extra};
    pool.insert(pool.end(), copy.begin(), copy.end());
    for (std::uint32_t i = 0; i < extra; ++i) pool.push_back(copy.front());
    return pool.begin() + slice.begin;
  }
  auto own_tiles(int rank, Slice& slice, std::uint32_t extra = 0) {
    return own_list(program(rank).tiles, slice, extra);
  }

  /// Verify must name the fault with all of `words` in one message, and some order must give a wrong result.
  void expect_fault(const std::vector<std::string>& words) {
    const Verdict verdict = verify(schedule_);
    EXPECT_FALSE(verdict.passed);
    const bool named = std::ranges::any_of(verdict.faults, [&](const std::string& fault) {
      return std::ranges::all_of(words, [&](const std::string& word) { return fault.find(word) != fault.npos; });
    });
    EXPECT_TRUE(named) << testing::PrintToString(verdict.faults);
    BruteForceResult result;
    for (std::uint64_t seed = 0; seed < 200 && result.right; ++seed) result = run_by_brute_force(schedule_, seed);
    EXPECT_FALSE(result.right);
  }

  Schedule schedule_;
};

TEST_F(VerifyFaults, WithoutFaultPasses) {
  EXPECT_TRUE(verify(schedule_).passed);
  EXPECT_TRUE(run_by_brute_force(schedule_, 1).right);
}

TEST_F(VerifyFaults, DroppedDependency) {
  op(1, "attend 1").after = {};
  expect_fault({"rank 1, op", "(attend 1) reads kv", "(kv hop 0) writes, and no dependency orders them"});
}

TEST_F(VerifyFaults, BufferReusedTooEarly) {
  // The first hop's send is in flight while the second hop's receive overwrites its source.
  Exchange& hop = action<Exchange>(2, "kv hop 1");
  const BufferId in_flight = program(2).transfers[hop.sends.begin].region.buffer;
  own_list(program(2).transfers, hop.receives)->region.buffer = in_flight;
  action<Attend>(2, "attend 2").kv = in_flight;
  action<AttendBackward>(2, "attend-backward 0").kv = in_flight;
  expect_fault({"rank 2, op", "(kv hop 1)", "both reads and writes kv"});
}

TEST_F(VerifyFaults, OverwrittenInput) {
  Exchange& hop = action<Exchange>(2, "kv hop 0");
  own_list(program(2).transfers, hop.receives)->region.buffer = program(2).owned.kv;
  expect_fault({"rank 2, op", "(kv hop 0) writes kv", "an input of the rank"});
}

TEST_F(VerifyFaults, DoubledTile) {
  own_tiles(1, action<Attend>(1, "attend 1").tiles, 1);
  expect_fault({"rank 1", "twice: from rank 1, op", "(attend 1) and from rank 1, op"});
}

TEST_F(VerifyFaults, DoubledTileOfTheBackwardPass) {
  own_tiles(1, action<AttendBackward>(1, "attend-backward 1").tiles, 1);
  expect_fault({"rank 1", "has as dq", "twice", "(attend-backward 1)"});
}

TEST_F(VerifyFaults, StepAttendedTwice) {
  Attend& second = action<Attend>(0, "attend 1");
  const Attend& first = action<Attend>(0, "attend 0");
  second.kv = first.kv;
  second.tiles = first.tiles;
  expect_fault({"rank 0", "twice: from rank 0, op", "(attend 0)", "(attend 1)"});
}

TEST_F(VerifyFaults, MissingTile) {
  Slice& tiles = action<Attend>(2, "attend 0").tiles;
  --tiles.count;
  expect_fault({"rank 2", "pairs expected"});
}

TEST_F(VerifyFaults, BandTooWide) {
  Tile& tile = *own_tiles(0, action<Attend>(0, "attend 0").tiles);
  ASSERT_LT(tile.hi, tile.k_count - 1);
  ++tile.hi;
  expect_fault({"rank 0, op", "(attend 0)", "forbid"});
}

TEST_F(VerifyFaults, BandTooNarrow) {
  --own_tiles(0, action<AttendBackward>(0, "attend-backward 2").tiles)->hi;
  expect_fault({"rank 0", "dkv", "pairs expected"});
}

TEST_F(VerifyFaults, SwappedPeer) {
  Exchange& hop = action<Exchange>(1, "kv hop 0");
  own_list(program(1).transfers, hop.sends)->peer = 0;
  expect_fault({"rank 1, op", "(kv hop 0) sends to rank 0", "has no receive for it"});
}

TEST_F(VerifyFaults, MissingReceive) {
  action<Exchange>(1, "kv hop 0").receives.count = 0;
  expect_fault({"rank 0, op", "(kv hop 0) sends to rank 1", "has no receive for it"});
}

TEST_F(VerifyFaults, MissingSend) {
  action<Exchange>(0, "kv hop 0").sends.count = 0;
  expect_fault({"rank 1, op", "(kv hop 0) receives from rank 0", "has no send for it"});
}

TEST_F(VerifyFaults, UnequalShapes) {
  Exchange& hop = action<Exchange>(1, "kv hop 0");
  --own_list(program(1).transfers, hop.sends)->region.row_count;
  expect_fault({"rank 1, op", "(kv hop 0) sends kv", "rows [0, 3)", "rank 2, op", "receives"});
}

TEST_F(VerifyFaults, Deadlock) {
  // Rank 0 does the second hop first: rank 1 waits for its first, and it for rank 1's second.
  std::swap(action<Exchange>(0, "kv hop 0").ordinal, action<Exchange>(0, "kv hop 1").ordinal);
  expect_fault({"deadlock: rank", "waits for rank"});
}

TEST_F(VerifyFaults, WrongNeighboursBlock) {
  // The own block is sent again instead of the one received.
  Exchange& hop = action<Exchange>(0, "kv hop 1");
  own_list(program(0).transfers, hop.sends)->region.buffer = program(0).owned.kv;
  expect_fault({"rank 1"});
}

TEST_F(VerifyFaults, BackwardKeepsAttendingTheOwnBlock) {
  for (const char* label : {"attend-backward 0", "attend-backward 1"}) {
    action<AttendBackward>(1, label).kv = program(1).owned.kv;
  }
  expect_fault({"rank 1"});
}

TEST_F(VerifyFaults, WrongHeadMap) {
  action<Attend>(1, "attend 0").heads = {.q_begin = 0, .count = 4, .q_global = 0, .kv_global = 0};
  Attend& attend = action<Attend>(1, "attend 1");
  attend.heads.q_begin = 1;
  attend.heads.count = 3;
  expect_fault({"rank 1, op", "(attend 1)", "must hold q of heads 0 and up", "head 1"});
}

TEST_F(VerifyFaults, WrongKvHeads) {
  Attend& attend = action<Attend>(1, "attend 0");
  attend.heads.count = 2;
  attend.heads.q_begin = attend.heads.q_global = 2;
  attend.heads.kv_global = 1;
  expect_fault({"rank 1, op", "(attend 0)", "K/V heads"});
}

TEST_F(VerifyFaults, MissingSink) {
  action<Attend>(2, "attend 0").sink = kNoBuffer;
  expect_fault({"rank 2", "pairs expected"});
}

TEST_F(VerifyFaults, StateStartedAnew) {
  action<Attend>(2, "attend 1").first = true;
  expect_fault({"rank 2", "pairs expected"});
}

TEST_F(VerifyFaults, FinishedTooEarly) {
  action<Attend>(2, "attend 2").last = false;
  action<Attend>(2, "attend 1").last = true;
  expect_fault({"rank 2", "pairs expected"});
}

TEST_F(VerifyFaults, StatisticsReadBeforeTheyAreFinished) {
  // The final out and lse are right, but delta comes from those of the step before.
  action<Attend>(1, "attend 1").last = true;
  const Delta delta = action<Delta>(1, "delta");
  remove(1, "delta");
  insert_before(1, "attend 2", delta, "delta", false);
  expect_fault({"rank 1, op", "(delta) reads out", "pairs expected"});
}

TEST_F(VerifyFaults, UnsummedGradient) {
  remove(0, "add dkv 2");
  expect_fault({"rank 0 has as dkv", "pairs expected"});
}

TEST_F(VerifyFaults, GradientSummedTwice) {
  const Add add = action<Add>(0, "add dkv 2");
  insert_before(0, "round dkv", add, "add again");
  expect_fault({"rank 0 has as dkv", "twice"});
}

TEST_F(VerifyFaults, GradientsOfOtherRowsAdded) {
  Add& add = action<Add>(1, "add dkv 1");
  const std::int64_t half = add.to.row_count / 2;
  Add second = add;
  add.to.row_count = add.from.row_count = second.to.row_count = second.from.row_count = half;
  second.to.row_begin = add.from.row_begin = half;
  insert_before(1, "dkv hop 1", second, "add the other half");
  // The first half goes to rows that are still zero; the next sum shows it.
  expect_fault({"rank 0, op", "(add dkv 2): adds accumulator", "they hold different things"});
}

TEST_F(VerifyFaults, ResultWithRowsSwapped) {
  Copy& copy = action<Copy>(2, "round dq");
  const std::int64_t half = copy.to.row_count / 2;
  Copy second = copy;
  copy.to.row_count = copy.from.row_count = second.to.row_count = second.from.row_count = half;
  second.to.row_begin = copy.from.row_begin = half;
  insert_before(2, "round dkv", second, "round the other half");
  expect_fault({"rank 2: rows [0, 2), heads [0, 4) of its dq", "expected its own"});
}

TEST_F(VerifyFaults, UnsummedSinkGradient) {
  remove(0, "add dsink 0");
  expect_fault({"rank 0 has as dsink", "pairs expected"});
}

TEST_F(VerifyFaults, SinkGradientSummedTwice) {
  const Add add = action<Add>(0, "add dsink 0");
  insert_before(0, "add dsink 0", add, "add again");
  expect_fault({"rank 0 has as dsink", "its sink's gradient twice"});
}

TEST_F(VerifyFaults, GradientOfKeysThatAreHeldTwice) {
  // Every pair is attended once, but half of the keys by one copy and half by the other; only one of them returns.
  Case c = small_ring(1);
  c.problem.mask = Mask::full();
  schedule_ = build_schedule(c);
  ASSERT_TRUE(verify(schedule_).passed);
  const std::int64_t rows = 12, half = 6;
  const BufferId kv = program(0).owned.kv;
  AttendBackward& attend = action<AttendBackward>(0, "attend-backward 0");
  const BufferId twice = add_buffer(0, program(0).buffer(kv), 2 * rows);
  const BufferId gradient = add_buffer(0, program(0).buffer(attend.dkv), 2 * rows), dkv = attend.dkv;
  attend.kv = twice;
  attend.dkv = gradient;
  const auto tiles = own_tiles(0, attend.tiles, 1);
  tiles[0] = {.q_begin = 0, .q_count = rows, .k_begin = 0, .k_count = half, .lo = -(rows - 1), .hi = half - 1};
  tiles[1] = tiles[0];
  tiles[1].k_begin = rows + half;
  Region returned = program(0).whole(dkv);
  returned.buffer = gradient;
  append(0, Copy{.to = program(0).whole(dkv), .from = returned}, "return dkv");
  Region copy = program(0).whole(kv);
  copy.buffer = twice;
  insert_before(0, "attend-backward 0", Copy{copy, program(0).whole(kv)}, "first copy");
  copy.row_begin = rows;
  insert_before(0, "attend-backward 0", Copy{copy, program(0).whole(kv)}, "second copy");
  expect_fault({"rank 0, op", "(attend-backward 0): two rows of kv hold the same keys"});
}

TEST_F(VerifyFaults, SinkForItsGradient) {
  schedule_.programs[0].owned.dsink = schedule_.programs[0].owned.sink;
  expect_fault({"rank 0", "dsink", "expected its own"});
}

TEST_F(VerifyFaults, MissingResult) {
  program(1).owned.dq = kNoBuffer;
  expect_fault({"rank 1 owns no dq"});
}

TEST_F(VerifyFaults, TokenOwnedTwice) {
  schedule_.tokens[1] = schedule_.tokens[0];
  expect_fault({"token 0 belongs to rank 0 and to rank 1"});
}

TEST_F(VerifyFaults, OtherTokensThanTheProgramWasMadeFor) {
  std::swap(schedule_.tokens[0], schedule_.tokens[2]);
  expect_fault({"forbid"});
}

TEST_F(VerifyFaults, BackwardPassThatCannotRunAgain) {
  Case c = small_ring(6);
  c.pass = Pass::kBackward;
  schedule_ = build_schedule(c);
  ASSERT_TRUE(verify(schedule_).passed);
  // The same programs with buffers shared as if the backward pass ran once.
  Case once = c;
  once.pass = Pass::kForwardBackward;
  schedule_.programs = build_schedule(once).programs;
  expect_fault({"could not run again"});
}

}  // namespace
}  // namespace cpbench
