// Small problems that between them have every mask, documents, sinks, grouped heads and unequal head dims.
#pragma once

#include <cmath>
#include <vector>

#include "problem/problem.hpp"

namespace cpbench {

inline Problem small_problem(std::int64_t seq_len, Mask mask = Mask::causal()) {
  Problem problem;
  problem.seq_len = seq_len;
  problem.documents = Documents::whole(seq_len);
  problem.heads = problem.kv_heads = 2;
  problem.head_dim = problem.head_dim_v = 16;
  problem.scale = 1 / std::sqrt(16.0);
  problem.dtype = DType::kFp32;
  problem.mask = mask;
  return problem;
}

inline std::vector<Problem> small_problems() {
  std::vector<Problem> problems;
  for (const Mask& mask : {Mask::full(), Mask::causal(), Mask::window(5, 0), Mask::window(3, 4)}) {
    problems.push_back(small_problem(19, mask));
    Problem& rich = problems.emplace_back(small_problem(23, mask));
    rich.batch = 2;
    rich.heads = 6;
    rich.head_dim = 24;
    rich.head_dim_v = 8;
    rich.documents = Documents::from_lengths(std::vector<std::int64_t>{7, 1, 15}, 23);
    rich.sink = true;
  }
  return problems;
}

}  // namespace cpbench
