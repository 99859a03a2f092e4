#include "validate/wrong_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "validate/in_process_collective.hpp"

namespace cpbench {
namespace {

/// A row whose only channel is off by `error` of itself.
RowError off_by(double error) {
  return {.square = error * error,
          .reference_square = 1,
          .value = 1 + error,
          .reference = 1,
          .is_number = std::isfinite(error)};
}

/// Of two sequences of 8 tokens and 4 heads, on two ranks that hold alternate tokens.
template <typename ErrorOf>
void with_rows(ErrorOf error_of, const std::function<void(const RowErrors&, const Problem&, Collective&)>& check) {
  run_ranks(2, [&](Collective& collective) {
    Problem problem;
    problem.batch = 2;
    problem.heads = 4;
    RowErrors errors;
    for (int head = 0; head < 4; ++head) {  // not in the order of tokens, as checks come
      for (std::int64_t batch = 0; batch < 2; ++batch) {
        for (std::int64_t token = collective.rank(); token < 8; token += 2) {
          errors.add({batch, token, head}, off_by(error_of(batch, token, head)));
        }
      }
    }
    check(errors, problem, collective);
  });
}

TEST(WrongRows, SayWhichTheyAre) {
  const auto error = [](std::int64_t batch, std::int64_t token, int head) {
    return batch == 1 && token >= 3 && head != 2 ? 0.5 : 0.01;
  };
  with_rows(error, [](const RowErrors& errors, const Problem& problem, Collective& collective) {
    const WrongRows wrong = errors.beyond(0.1, problem, collective);
    EXPECT_EQ(wrong.text(), "15 of 64 rows: batch 1, heads 0-1,3, tokens 3-7");
    EXPECT_EQ(wrong.first.id.batch, 1);
    EXPECT_EQ(wrong.first.id.token, 3);
    EXPECT_EQ(wrong.first.id.head, 0);
    EXPECT_EQ(wrong.first.error.value, 1.5);
    EXPECT_EQ(errors.not_numbers(problem, collective).count(), 0);
    EXPECT_EQ(errors.beyond(0.6, problem, collective).count(), 0);
    EXPECT_EQ(errors.beyond(0.001, problem, collective).text(), "64 of 64 rows: batches 0-1, heads 0-3, tokens 0-7");
  });
}

TEST(WrongRows, NameTheRankThatAloneHasSome) {
  const auto error = [](std::int64_t batch, std::int64_t token, int head) {
    return batch == 0 && token == 5 && head == 1 ? std::numeric_limits<double>::quiet_NaN() : 0.5;
  };
  with_rows(error, [](const RowErrors& errors, const Problem& problem, Collective& collective) {
    const WrongRows wrong = errors.not_numbers(problem, collective);
    EXPECT_EQ(wrong.text(), "1 of 64 rows: batch 0, head 1, token 5, rank 1");
    EXPECT_TRUE(std::isnan(wrong.first.error.value));
  });
}

}  // namespace
}  // namespace cpbench
