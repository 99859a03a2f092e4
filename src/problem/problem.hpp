// What is computed: one exact attention over a batch of sequences, independent of who computes it.
#pragma once

#include <cstdint>
#include <string_view>

#include "problem/documents.hpp"
#include "problem/dtype.hpp"
#include "problem/mask.hpp"

namespace cpbench {

/// Order of the axes batch, sequence, heads, dim in memory. `thd` packs the sequences of the batch one after the other;
/// as all have the same length on a rank, its strides are those of bshd.
enum class Layout : std::uint8_t { kBshd, kSbhd, kBhsd, kThd };
/// What a run takes of the program: the backward pass alone needs what an earlier forward pass left in the buffers.
enum class Pass : std::uint8_t { kForward, kBackward, kForwardBackward };
inline constexpr int kPasses = 3;

std::string_view name_of(Layout layout);
Layout parse_layout(std::string_view name);
std::string_view name_of(Pass pass);  ///< `fwd`, `bwd`, `fwd+bwd`
Pass parse_pass(std::string_view name);

/// out = softmax(scale * Q K^T + mask) V per head; with a sink, exp(sink[h]) joins the softmax's denominator.
/// Shapes: Q [batch, seq_len, heads, head_dim], K [.., kv_heads, head_dim], V [.., kv_heads, head_dim_v],
/// out and dout [.., heads, head_dim_v], lse [batch, heads, seq_len] in fp32, sink [heads] in fp32.
/// Query head h reads K/V head h / group().
struct Problem {
  std::int64_t batch = 1;
  std::int64_t seq_len = 8192;
  int heads = 8;
  int kv_heads = 8;
  int head_dim = 128;
  int head_dim_v = 128;
  DType dtype = DType::kBf16;
  Mask mask = Mask::causal();
  Documents documents = Documents::whole(8192);
  bool sink = false;
  Layout layout = Layout::kBshd;
  double scale = 0.08838834764831845;  ///< 1 / sqrt(head_dim) unless set

  int group() const { return heads / kv_heads; }
  bool allows(std::int64_t query, std::int64_t key) const {
    return mask.allows(query, key) && documents.index_of(query) == documents.index_of(key);
  }
  /// The keys that `query` attends: the mask's window cut to the query's document.
  TokenRange keys_of(std::int64_t query) const;
  /// The queries that attend `key`.
  TokenRange queries_of(std::int64_t key) const;
};

/// Throws a usage error that names the offending value: sizes >= 1, kv_heads divides heads, head dims multiples of 8
/// up to 256, documents sum to seq_len, a positive scale that fp32 has, and no tensor of more than 2^53 bytes, even if
/// held in fp32.
void check(const Problem& problem);

}  // namespace cpbench
