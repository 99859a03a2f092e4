#include "problem/problem.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

// A valid problem with one thing changed.
template <typename Change>
Problem with(Change&& change) {
  Problem problem;
  change(problem);
  return problem;
}

void set_seq_len(Problem& problem, std::int64_t seq_len) {
  problem.seq_len = seq_len;
  problem.documents = Documents::whole(seq_len);
}

TEST(Problem, NamesAreInverses) {
  for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd}) {
    EXPECT_EQ(parse_layout(name_of(layout)), layout);
  }
  for (const Pass pass : {Pass::kForward, Pass::kBackward, Pass::kForwardBackward}) {
    EXPECT_EQ(parse_pass(name_of(pass)), pass);
  }
  EXPECT_EQ(name_of(Pass::kForwardBackward), "fwd+bwd");
  expect_refused([] { parse_layout("bnsd"); }, {"unknown layout \"bnsd\"", "bshd, sbhd, bhsd, thd"});
  expect_refused([] { parse_pass("backward"); }, {"unknown pass \"backward\"", "fwd, bwd, fwd+bwd"});
}

TEST(Problem, KeysAndQueriesMatchTheMask) {
  const std::vector<std::int64_t> lengths = {1, 7, 2, 10};
  for (const Mask& mask : {Mask::full(), Mask::causal(), Mask::window(3, 0), Mask::window(0, 2), Mask::window(2, 40)}) {
    const Problem problem = with([&](Problem& p) {
      p.seq_len = 20;
      p.documents = Documents::from_lengths(lengths, 20);
      p.mask = mask;
    });
    for (std::int64_t query = 0; query < 20; ++query) {
      for (std::int64_t key = 0; key < 20; ++key) {
        const TokenRange keys = problem.keys_of(query);
        const TokenRange queries = problem.queries_of(key);
        EXPECT_EQ(problem.allows(query, key), keys.begin <= key && key < keys.end);
        EXPECT_EQ(problem.allows(query, key), queries.begin <= query && query < queries.end);
      }
    }
  }
}

TEST(Problem, RangesDoNotOverflow) {
  const Problem problem = with([](Problem& p) {
    set_seq_len(p, Documents::kMaxSeqLen);
    p.mask = Mask::window(Mask::kUnbounded - 1, Mask::kUnbounded - 1);
  });
  EXPECT_EQ(problem.keys_of(Documents::kMaxSeqLen - 1), (TokenRange{0, Documents::kMaxSeqLen}));
  EXPECT_EQ(problem.queries_of(0), (TokenRange{0, Documents::kMaxSeqLen}));
}

TEST(Check, AcceptsWhatIsValid) {
  EXPECT_NO_THROW(check(Problem{}));
  EXPECT_NO_THROW(check(with([](Problem& p) { set_seq_len(p, 1'000'000'000'000); })));
  EXPECT_NO_THROW(check(with([](Problem& p) { p.head_dim = 256, p.head_dim_v = 8, p.kv_heads = 1; })));
}

TEST(Check, RefusesBadSizes) {
  expect_refused([] { check(with([](Problem& p) { p.batch = 0; })); }, {"batch is 0"});
  expect_refused([] { check(with([](Problem& p) { p.seq_len = -5; })); }, {"seq_len is -5"});
  expect_refused([] { check(with([](Problem& p) { p.heads = 0; })); }, {"heads is 0"});
  expect_refused([] { check(with([](Problem& p) { p.kv_heads = -1; })); }, {"kv_heads is -1"});
  expect_refused([] { check(with([](Problem& p) { p.kv_heads = 3; })); }, {"kv_heads 3", "heads 8"});
  expect_refused([] { check(with([](Problem& p) { p.kv_heads = 16; })); }, {"kv_heads 16", "heads 8"});
  for (const int head_dim : {0, -8, 4, 100, 264}) {
    const std::string value = std::to_string(head_dim);
    expect_refused([&] { check(with([&](Problem& p) { p.head_dim = head_dim; })); }, {"head_dim is " + value});
    expect_refused([&] { check(with([&](Problem& p) { p.head_dim_v = head_dim; })); }, {"head_dim_v is " + value});
  }
}

TEST(Check, RefusesDocumentsOfAnotherLength) {
  expect_refused([] { check(with([](Problem& p) { p.seq_len = 100; })); }, {"8192 tokens", "seq_len is 100"});
}

TEST(Check, RefusesAScaleThatIsNotFinite) {
  expect_refused([] { check(with([](Problem& p) { p.scale = std::nan(""); })); }, {"scale is nan"});
  expect_refused([] { check(with([](Problem& p) { p.scale = -INFINITY; })); }, {"scale is -inf"});
  expect_refused([] { check(with([](Problem& p) { p.scale = 0; })); }, {"scale is 0", "positive"});
}

TEST(Check, RefusesTensorsOfMoreThan2To53Bytes) {
  // 2^43 tokens of one head with 256 dimensions in fp32 are exactly 2^53 bytes.
  const auto tokens = [](std::int64_t seq_len) {
    return with([&](Problem& p) {
      p.heads = p.kv_heads = 1;
      p.head_dim_v = 256;
      set_seq_len(p, seq_len);
    });
  };
  EXPECT_NO_THROW(check(tokens(std::int64_t{1} << 43)));
  expect_refused([&] { check(tokens((std::int64_t{1} << 43) + 1)); },
                 {"seq_len 8796093022209", "head dim 256", "2^53 bytes"});
  expect_refused(
      [] {
        check(with([](Problem& p) {
          p.batch = std::numeric_limits<std::int64_t>::max();
          p.heads = p.kv_heads = std::numeric_limits<int>::max();
        }));
      },
      {"batch 9223372036854775807", "heads 2147483647"});
}

}  // namespace
}  // namespace cpbench
