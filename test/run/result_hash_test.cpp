#include "run/result_hash.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cpbench {
namespace {

/// Two buffers that are no results, and five that are; the last is no multiple of a word.
class ResultHash : public testing::Test {
 protected:
  ResultHash() {
    const auto buffer = [&](Role role, std::int64_t rows, std::int32_t dim = 8) {
      program_.buffers.push_back({role, DType::kBf16, 1, dim, 0, rows});
      storage_.emplace_back(static_cast<std::size_t>(program_.buffers.back().bytes(problem_.batch)));
      return static_cast<BufferId>(program_.buffers.size()) - 1;
    };
    buffer(Role::kAccumulator, 5);
    program_.owned.q = buffer(Role::kQ, 3);
    program_.owned.out = buffer(Role::kOut, 3);
    program_.owned.lse = buffer(Role::kLse, 1);
    program_.owned.dq = buffer(Role::kDq, 3);
    program_.owned.dkv = buffer(Role::kDkv, 7);
    program_.owned.dsink = buffer(Role::kDsink, 1, 7);
    for (auto& bytes : storage_) memory_.buffers.push_back(bytes.data());
  }

  /// Flips a bit of the results, counted from the first; false where there is no such bit.
  bool flip(std::size_t bit) {
    std::size_t byte = bit / 8;
    for (std::size_t id = 0; id < storage_.size(); ++id) {
      if (!is_result(id)) continue;
      if (byte < storage_[id].size()) {
        storage_[id][byte] ^= std::byte{1} << bit % 8;
        return true;
      }
      byte -= storage_[id].size();
    }
    return false;
  }
  bool is_result(std::size_t id) const {
    return program_.buffers[id].role != Role::kAccumulator && program_.buffers[id].role != Role::kQ;
  }

  Problem problem_{.batch = 2};
  Program program_;
  std::vector<std::vector<std::byte>> storage_;
  ProgramMemory memory_{&problem_, &program_, {}};
};

TEST_F(ResultHash, ChangesWithEachBitOfTheResultsAndWithNoOther) {
  std::set<std::uint64_t> seen = {hash_of_results(memory_)};
  std::size_t results = 1;
  for (std::size_t id = 0; id < program_.buffers.size(); ++id) {
    const auto bytes = static_cast<std::size_t>(program_.buffers[id].bytes(problem_.batch));
    for (std::size_t i = 0; i < bytes; ++i) {
      storage_[id][i] ^= std::byte{1};
      seen.insert(hash_of_results(memory_));
      storage_[id][i] ^= std::byte{1};
    }
    if (is_result(id)) results += bytes;
  }
  EXPECT_EQ(seen.size(), results);
}

// Two results that are negated, say, or of which one is infinite: of equal bits of two words none cancels the other.
TEST_F(ResultHash, ChangesWithPairsOfBits) {
  constexpr std::size_t kWord = 64;
  const std::uint64_t unchanged = hash_of_results(memory_);
  for (std::size_t first = 0; flip(first); ++first) {
    EXPECT_NE(hash_of_results(memory_), unchanged) << first;
    std::size_t blind = 0;
    for (std::size_t second = first + kWord; flip(second); second += kWord) {
      blind += hash_of_results(memory_) == unchanged ? 1 : 0;
      flip(second);
    }
    EXPECT_EQ(blind, 0u) << first;
    flip(first);
  }
}

TEST_F(ResultHash, SkipsWhatAForwardPassDoesNotHave) {
  const std::uint64_t all = hash_of_results(memory_);
  program_.owned.dq = program_.owned.dkv = program_.owned.dsink = kNoBuffer;
  EXPECT_NE(hash_of_results(memory_), all);
}

}  // namespace
}  // namespace cpbench
