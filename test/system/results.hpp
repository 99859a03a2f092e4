// All results of a job in global order, whichever way they were computed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/support/dense.hpp"
#include "problem/problem.hpp"

namespace cpbench::test {

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Rows are tokens. lse has dim 1; dsink has one row, dim 1 and no batch, and is empty without sinks.
struct Results {
  Dense out, lse, dq, dk, dv, dsink;

  static Results for_problem(const Problem& p) {
    return {.out = Dense(p.batch, p.seq_len, p.heads, p.head_dim_v),
            .lse = Dense(p.batch, p.seq_len, p.heads, 1),
            .dq = Dense(p.batch, p.seq_len, p.heads, p.head_dim),
            .dk = Dense(p.batch, p.seq_len, p.kv_heads, p.head_dim),
            .dv = Dense(p.batch, p.seq_len, p.kv_heads, p.head_dim_v),
            .dsink = p.sink ? Dense(1, 1, p.heads, 1) : Dense()};
  }
  bool operator==(const Results&) const = default;
};

}  // namespace cpbench::test
