#include "problem/problem.hpp"

#include <algorithm>
#include <limits>

#include "support/error.hpp"
#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<Layout>, 4> kLayoutNames = {
    {{Layout::kBshd, "bshd"}, {Layout::kSbhd, "sbhd"}, {Layout::kBhsd, "bhsd"}, {Layout::kThd, "thd"}}};
constexpr std::array<Named<Pass>, 3> kPassNames = {
    {{Pass::kForward, "fwd"}, {Pass::kBackward, "bwd"}, {Pass::kForwardBackward, "fwd+bwd"}}};

// Tokens from `reach_down` before `token` to `reach_up` after it, cut to `document`. Reaches may be unbounded, so they
// are compared with distances rather than added to positions.
TokenRange around(std::int64_t token, std::int64_t reach_down, std::int64_t reach_up, TokenRange document) {
  return {token - std::min(reach_down, token - document.begin),
          token + std::min(reach_up, document.end - 1 - token) + 1};
}

void check_at_least_one(std::string_view what, std::int64_t value) {
  if (value < 1) refuse("{} is {}: it must be at least 1", what, value);
}

void check_head_dim(std::string_view what, int value) {
  if (value < 8 || value > 256 || value % 8 != 0) refuse("{} is {}: it must be a multiple of 8 up to 256", what, value);
}

/// So that sums over the tensors of a rank are far from 2^63.
constexpr std::int64_t kMostTensorBytes = std::int64_t{1} << 53;

bool product_exceeds(std::int64_t limit, std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  return std::any_of(factors.begin(), factors.end(), [&](std::int64_t factor) {
    return __builtin_mul_overflow(product, factor, &product) || product > limit;
  });
}

}  // namespace

std::string_view name_of(Layout layout) { return name_in(kLayoutNames, layout); }
Layout parse_layout(std::string_view name) { return parse_in(kLayoutNames, "layout", name); }
std::string_view name_of(Pass pass) { return name_in(kPassNames, pass); }
Pass parse_pass(std::string_view name) { return parse_in(kPassNames, "pass", name); }

TokenRange Problem::keys_of(std::int64_t query) const {
  return around(query, mask.left, mask.right, documents.range(documents.index_of(query)));
}

TokenRange Problem::queries_of(std::int64_t key) const {
  return around(key, mask.right, mask.left, documents.range(documents.index_of(key)));
}

void check(const Problem& problem) {
  check_at_least_one("batch", problem.batch);
  check_at_least_one("seq_len", problem.seq_len);
  check_at_least_one("heads", problem.heads);
  check_at_least_one("kv_heads", problem.kv_heads);
  if (problem.heads % problem.kv_heads != 0) {
    refuse("kv_heads {} does not divide heads {}: every K/V head serves the same number of query heads",
           problem.kv_heads, problem.heads);
  }
  check_head_dim("head_dim", problem.head_dim);
  check_head_dim("head_dim_v", problem.head_dim_v);
  if (problem.documents.seq_len() != problem.seq_len) {
    refuse("the documents sum to {} tokens, but seq_len is {}", problem.documents.seq_len(), problem.seq_len);
  }
  // Kernels scale in fp32.
  using Fp32 = std::numeric_limits<float>;
  if (!(problem.scale >= Fp32::min() && problem.scale <= Fp32::max())) {
    refuse("scale is {}: it must lie between {:.3g} and {:.3g}, the positive numbers that fp32 has", problem.scale,
           Fp32::min(), Fp32::max());
  }
  // Q or out is the largest tensor. Four bytes an element, because fp32 accumulators are held for every storage type.
  const std::int64_t widest = std::max(problem.head_dim, problem.head_dim_v);
  if (product_exceeds(kMostTensorBytes,
                      {problem.batch, problem.seq_len, problem.heads, widest, bytes_of(DType::kFp32)})) {
    refuse(
        "batch {} x seq_len {} x heads {} x head dim {} takes more than 2^53 bytes in fp32: make one of them smaller",
        problem.batch, problem.seq_len, problem.heads, widest);
  }
}

}  // namespace cpbench
