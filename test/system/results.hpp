// All results of a job in global order, whichever way they were computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "problem/problem.hpp"

namespace cpbench::test {

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// A tensor [batch, rows, heads, dim] of doubles, which hold every storage type exactly.
struct Tensor4 {
  std::int64_t batch = 0, rows = 0, heads = 0, dim = 0;
  std::vector<double> values;

  Tensor4() = default;
  Tensor4(std::int64_t b, std::int64_t r, std::int64_t h, std::int64_t d)
      : batch(b), rows(r), heads(h), dim(d), values(static_cast<std::size_t>(b * r * h * d)) {}
  /// The `dim` values of a row.
  double* at(std::int64_t b, std::int64_t row, std::int64_t head) {
    return values.data() + ((b * rows + row) * heads + head) * dim;
  }
  const double* at(std::int64_t b, std::int64_t row, std::int64_t head) const {
    return values.data() + ((b * rows + row) * heads + head) * dim;
  }
  bool operator==(const Tensor4&) const = default;
};

/// Rows are tokens. lse has dim 1; dsink has one row, dim 1 and no batch, and is empty without sinks.
struct Results {
  Tensor4 out, lse, dq, dk, dv, dsink;

  static Results for_problem(const Problem& p) {
    return {.out = Tensor4(p.batch, p.seq_len, p.heads, p.head_dim_v),
            .lse = Tensor4(p.batch, p.seq_len, p.heads, 1),
            .dq = Tensor4(p.batch, p.seq_len, p.heads, p.head_dim),
            .dk = Tensor4(p.batch, p.seq_len, p.kv_heads, p.head_dim),
            .dv = Tensor4(p.batch, p.seq_len, p.kv_heads, p.head_dim_v),
            .dsink = p.sink ? Tensor4(1, 1, p.heads, 1) : Tensor4()};
  }
  bool operator==(const Results&) const = default;
};

}  // namespace cpbench::test
