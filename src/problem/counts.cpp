#include "problem/counts.hpp"

namespace cpbench {
namespace {

int128 triangular(int128 n) { return n > 0 ? n * (n + 1) / 2 : 0; }

}  // namespace

int128 attended_pairs(const Mask& mask, const Documents& documents) {
  int128 pairs = 0;
  for (std::int64_t document = 0; document < documents.count(); ++document) {
    const int128 length = documents.range(document).count();
    // The square, less the two corners that lie beyond the window's reaches.
    pairs += length * length - triangular(length - 1 - mask.left) - triangular(length - 1 - mask.right);
  }
  return pairs;
}

int128 forward_flops(int128 pairs, int head_dim, int head_dim_v) { return 2 * pairs * (head_dim + head_dim_v); }

int128 backward_flops(int128 pairs, int head_dim, int head_dim_v) {
  return 2 * pairs * (3 * head_dim + 2 * head_dim_v);
}

int128 flops(const Problem& problem, Pass pass) {
  const int128 pairs = attended_pairs(problem.mask, problem.documents) * problem.batch * problem.heads;
  int128 total = 0;
  if (pass != Pass::kBackward) total += forward_flops(pairs, problem.head_dim, problem.head_dim_v);
  if (pass != Pass::kForward) total += backward_flops(pairs, problem.head_dim, problem.head_dim_v);
  return total;
}

}  // namespace cpbench
