// One attention over random inputs: run through the backend, and compared with the definition in fp64.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "backend/support/reference.hpp"

namespace cpbench::test {

struct AttentionCase {
  std::string name;
  std::int64_t batch = 1, q_rows = 64, k_rows = 64;
  int heads = 1, kv_heads = 1, dim = 64, dim_v = 64;  ///< of the buffers
  HeadMap map = {0, 1, 0, 0};
  int group = 1;
  DType dtype = DType::kFp32;
  DType gradient_dtype = DType::kFp32;  ///< of dq, dk, dv
  Layout layout = Layout::kBshd;
  bool sink = false;
  double magnitude = 1;  ///< standard deviation of q and k
  double scale = 0;      ///< 0: 1 / sqrt(dim)
  std::vector<Tile> tiles = {};
  int calls = 1;  ///< the tiles are dealt to so many calls, which continue each other
  int threads = 1;
  /// Rows that buffers have beyond those of the case, because they share memory with larger ones.
  std::int64_t spare_k_rows = 0, spare_dk_rows = 0;

  friend std::ostream& operator<<(std::ostream& stream, const AttentionCase& c) { return stream << c.name; }
};

/// Every pair of a rectangle.
inline Tile full_tile(std::int64_t q_begin, std::int64_t q_count, std::int64_t k_begin, std::int64_t k_count) {
  return {q_begin, q_count, k_begin, k_count, -(q_count - 1), k_count - 1};
}
/// A causal square on the diagonal.
inline Tile causal_tile(std::int64_t begin, std::int64_t count) {
  return {begin, count, begin, count, -(count - 1), 0};
}

/// What a kernel made of the case, beside the truth and the straightforward fp32 computation.
struct AttentionOutcome {
  AttentionResults measured, truth, straightforward;
};

AttentionOutcome run_case(const AttentionCase& c, const std::string& kernel);

/// Fails the running test where a tensor is further from the truth than a few times the straightforward computation is,
/// plus its own rounding to the storage type.
void expect_close(const AttentionCase& c, const AttentionOutcome& outcome);

}  // namespace cpbench::test
