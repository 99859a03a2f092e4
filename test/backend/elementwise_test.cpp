// The operations that are no attention, through the backend, against fp64.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "backend/support/host_program.hpp"
#include "backend/support/reference.hpp"

namespace cpbench::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Elementwise : public testing::Test {
 protected:
  static Problem problem(Layout layout) {
    Problem p;
    p.batch = 3;
    p.layout = layout;
    return p;
  }
  BufferId add(HostProgram& host, Role role, DType dtype, int heads, int dim, std::int64_t rows, int dim_v = 0) {
    const BufferId id = host.add({role, dtype, heads, dim, dim_v, rows});
    fill_normal(host.view(id).first, 1, random_);
    if (dim_v > 0) fill_normal(host.view(id).second, 1, random_);
    return id;
  }
  std::mt19937_64 random_{5};
};

TEST_F(Elementwise, DeltaIsTheRowSumOfTheProduct) {
  for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd, Layout::kThd}) {
      HostProgram host(problem(layout), "simple", 2);
      const BufferId out = add(host, Role::kOut, dtype, 3, 40, 150), dout = add(host, Role::kDout, dtype, 3, 40, 150);
      const BufferId delta = host.add({Role::kDelta, DType::kFp32, 3, 1, 0, 150});
      host.run(Delta{out, dout, delta});
      const Dense expected = delta_of(read(host.view(out).first), read(host.view(dout).first));
      EXPECT_LE(max_difference(read(host.view(delta).first), expected), 40 * epsilon_of(DType::kFp32) * 20);
    }
  }
}

TEST_F(Elementwise, SinkGradient) {
  HostProgram host(problem(Layout::kBshd), "simple", 2);
  const BufferId lse = add(host, Role::kLse, DType::kFp32, 5, 1, 70);
  const BufferId delta = add(host, Role::kDelta, DType::kFp32, 5, 1, 70);
  const BufferId sink = add(host, Role::kSink, DType::kFp32, 8, 1, 1);
  const BufferId dsink = host.add({Role::kDsink, DType::kFp32, 8, 1, 0, 1});
  *host.view(lse).first.at<float>(1, 3, 2) = -kInfinity;
  const HeadMap heads{1, 3, 4, 0};
  host.run(SinkGradient{sink, lse, delta, dsink, heads});

  const Dense l = read(host.view(lse).first), d = read(host.view(delta).first), s = read(host.view(sink).first);
  for (int head = 0; head < 8; ++head) {
    double expected = 0;
    for (std::int64_t b = 0; b < 3 && head >= 4 && head < 7; ++b) {
      for (std::int64_t row = 0; row < 70; ++row) {
        const double row_lse = *l.at(b, row, head - 3);
        if (std::isfinite(row_lse)) expected -= std::exp(*s.at(0, 0, head) - row_lse) * *d.at(b, row, head - 3);
      }
    }
    EXPECT_NEAR(*host.view(dsink).first.at<float>(0, 0, head), expected, 1e-3) << head;
  }
}

TEST_F(Elementwise, AddAndCopyOfRegions) {
  for (const DType to_dtype : {DType::kFp32, DType::kBf16}) {
    for (const DType from_dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
      for (const Layout layout : {Layout::kBshd, Layout::kSbhd, Layout::kBhsd}) {
        HostProgram host(problem(layout), "simple", 1);
        const BufferId to = add(host, Role::kDkv, to_dtype, 4, 16, 90, 8);
        const BufferId from = add(host, Role::kDkv, from_dtype, 2, 16, 100, 8);
        const Dense before = read(host.view(to).second), source = read(host.view(from).second);
        const Region target{to, 1, 2, 5, 70}, origin{from, 0, 2, 30, 70};

        host.run(Add{target, origin});
        const Dense sum = read(host.view(to).second);
        host.run(Copy{target, origin});
        const Dense copied = read(host.view(to).second);
        for (std::int64_t b = 0; b < 3; ++b) {
          for (std::int64_t row = 0; row < 90; ++row) {
            for (std::int64_t head = 0; head < 4; ++head) {
              const bool inside = row >= 5 && row < 75 && head >= 1 && head < 3;
              for (int i = 0; i < 8; ++i) {
                const double old = before.at(b, row, head)[i];
                const double other = inside ? source.at(b, row + 25, head - 1)[i] : 0;
                const auto rounded = [&](double value) { return round_to(to_dtype, static_cast<float>(value)); };
                ASSERT_EQ(sum.at(b, row, head)[i],
                          inside ? rounded(static_cast<float>(old) + static_cast<float>(other)) : old);
                ASSERT_EQ(copied.at(b, row, head)[i], inside ? rounded(other) : old);
              }
            }
          }
        }
      }
    }
  }
}

TEST_F(Elementwise, WholeBuffersOfBothTensors) {
  HostProgram host(problem(Layout::kBshd), "simple", 1);
  const BufferId a = add(host, Role::kKv, DType::kBf16, 2, 24, 33, 16),
                 b = add(host, Role::kKv, DType::kBf16, 2, 24, 33, 16);
  host.run(Copy{host.whole(a), host.whole(b)});
  EXPECT_EQ(max_difference(read(host.view(a).first), read(host.view(b).first)), 0);
  EXPECT_EQ(max_difference(read(host.view(a).second), read(host.view(b).second)), 0);
}

/// Rows whose weights lie anywhere between "all old" and "all new", blocks that saw nothing, and rows that saw nothing.
TEST_F(Elementwise, Merge) {
  HostProgram host(problem(Layout::kSbhd), "simple", 2);
  const std::int64_t rows = 120;
  const BufferId out = add(host, Role::kOut, DType::kFp32, 3, 16, rows);
  const BufferId other = add(host, Role::kOut, DType::kFp32, 3, 16, rows);
  const BufferId lse = add(host, Role::kLse, DType::kFp32, 3, 1, rows);
  const BufferId other_lse = add(host, Role::kLse, DType::kFp32, 3, 1, rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    *host.view(other_lse).first.at<float>(0, row, 1) = static_cast<float>(row - 60) * 5;  // up to 300 either way
  }
  *host.view(lse).first.at<float>(2, 4, 1) = -kInfinity;
  *host.view(other_lse).first.at<float>(2, 5, 1) = -kInfinity;
  *host.view(lse).first.at<float>(2, 6, 1) = *host.view(other_lse).first.at<float>(2, 6, 1) = -kInfinity;
  for (const std::int64_t row : {4, 6}) std::fill_n(host.view(out).first.at<float>(2, row, 1), 16, 0.0f);

  const Dense o = read(host.view(out).first), p = read(host.view(other).first);
  const Dense l = read(host.view(lse).first), m = read(host.view(other_lse).first);
  host.run(Merge{out, lse, other, other_lse, HeadMap{1, 1, 1, 0}});
  const Dense merged = read(host.view(out).first), merged_lse = read(host.view(lse).first);
  for (std::int64_t b = 0; b < 3; ++b) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const double a = *l.at(b, row, 1), c = *m.at(b, row, 1), high = std::max(a, c);
      const bool nothing = std::isinf(high);
      const double sum = nothing ? -kInfinity : high + std::log(std::exp(a - high) + std::exp(c - high));
      const double got = *merged_lse.at(b, row, 1);
      if (nothing) {
        EXPECT_EQ(got, -kInfinity);
      } else {
        EXPECT_NEAR(got, sum, 1e-6 * (1 + std::abs(sum)));
      }
      for (int i = 0; i < 16; ++i) {
        const double expected =
            nothing ? 0 : std::exp(a - sum) * o.at(b, row, 1)[i] + std::exp(c - sum) * p.at(b, row, 1)[i];
        EXPECT_NEAR(merged.at(b, row, 1)[i], expected, 1e-5);
        EXPECT_EQ(merged.at(b, row, 0)[i], o.at(b, row, 0)[i]) << "a head outside the map";
      }
    }
  }
}

}  // namespace
}  // namespace cpbench::test
