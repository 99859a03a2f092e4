// Exact work of a problem: attended pairs and FLOPs, in 128 bits because 1e10 tokens squared overflow 64.
#pragma once

#include "problem/problem.hpp"
#include "support/int128.hpp"

namespace cpbench {

/// Attended (query, key) pairs of one sequence and one head: exact for the mask and the documents, in O(documents).
int128 attended_pairs(const Mask& mask, const Documents& documents);

/// FLOPs for `pairs` attended pairs, already summed over batch and query heads.
/// Forward 2 (d + dv): the GEMMs Q K^T and P V. Backward 2 (3 d + 2 dv): S again, dP, dV, dK, dQ. Softmax is not
/// counted.
int128 forward_flops(int128 pairs, int head_dim, int head_dim_v);
int128 backward_flops(int128 pairs, int head_dim, int head_dim_v);

/// FLOPs of a pass over the whole problem (all ranks, batch and heads).
int128 flops(const Problem& problem, Pass pass);

}  // namespace cpbench
