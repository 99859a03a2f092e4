#include "problem/documents.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

TEST(Documents, WholeIsOneDocument) {
  const Documents documents = Documents::whole(17);
  EXPECT_EQ(documents.count(), 1);
  EXPECT_EQ(documents.seq_len(), 17);
  EXPECT_EQ(documents.range(0), (TokenRange{0, 17}));
  EXPECT_EQ(documents.index_of(16), 0);
}

TEST(Documents, FollowTheirLengths) {
  const std::vector<std::int64_t> lengths = {3, 1, 1, 8};
  const Documents documents = Documents::from_lengths(lengths, 13);
  EXPECT_EQ(documents.lengths(), lengths);
  EXPECT_EQ(documents.range(3), (TokenRange{5, 13}));
  const std::vector<std::int64_t> owners = {0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3};
  for (std::int64_t token = 0; token < 13; ++token) {
    EXPECT_EQ(documents.index_of(token), owners[static_cast<std::size_t>(token)]);
  }
}

TEST(Documents, RefuseWhatIsNoPartition) {
  using Lengths = std::vector<std::int64_t>;
  expect_refused([] { Documents::from_lengths(Lengths{3, 4}, 8); }, {"2 documents", "sum to 7", "seq_len is 8"});
  expect_refused([] { Documents::from_lengths(Lengths{}, 8); }, {"sum to 0", "seq_len is 8"});
  expect_refused([] { Documents::from_lengths(Lengths{9, -1}, 8); }, {"document 1 has length -1"});
  expect_refused([] { Documents::from_lengths(Lengths{8, 0}, 8); }, {"document 1 has length 0"});
  expect_refused([] { Documents::whole(0); }, {"seq_len is 0"});
}

TEST(Documents, SumsBeyond64BitsAreExact) {
  const std::vector<std::int64_t> lengths = {kLargest, kLargest, 3};
  expect_refused([&] { Documents::from_lengths(lengths, 1); }, {"sum to 18446744073709551617"});
  expect_refused([] { Documents::whole(kLargest); }, {"9223372036854775807", "4611686018427387904"});
  EXPECT_EQ(Documents::whole(Documents::kMaxSeqLen).seq_len(), Documents::kMaxSeqLen);
}

}  // namespace
}  // namespace cpbench
