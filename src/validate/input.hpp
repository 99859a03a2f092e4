// The values of Q, K, V, dout and the sinks: any rank can make any row of them at any time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "backend/tensor_view.hpp"
#include "problem/problem.hpp"
#include "shard/segment.hpp"

namespace cpbench {

/// normal: standard normals. outlier: 1% of K's channels (at least one per head) are 20 times larger, as in trained
/// models. large-logits: Q and K are 4 times larger, logits 16 times. constant: every element of Q, K, V and dout is
/// 0.5, all sinks are equal. nan: standard normals, but one element of K is NaN (see Inputs::kNanHead).
enum class InputKind : std::uint8_t { kNormal, kOutlier, kLargeLogits, kConstant, kNan };
std::string_view name_of(InputKind kind);  ///< `normal`, `outlier`, `large-logits`, `constant`, `nan`
InputKind parse_input(std::string_view name);

enum class Tensor : std::uint8_t { kQ, kK, kV, kDout, kSink };
std::string_view name_of(Tensor tensor);  ///< `q`, `k`, `v`, `dout`, `sink`

/// A value depends on the seed, the tensor, batch, token, head and channel alone: neither on the sharding nor on the
/// machine. Nothing is stored, so a checker needs no gathering.
class Inputs {
 public:
  Inputs(const Problem& problem, InputKind kind, std::uint64_t seed) : problem_(problem), kind_(kind), seed_(seed) {}

  const Problem& problem() const { return problem_; }
  InputKind kind() const { return kind_; }
  std::uint64_t seed() const { return seed_; }

  /// Heads and channels of a tensor. Sinks have one channel.
  int heads_of(Tensor tensor) const;
  int dim_of(Tensor tensor) const;
  /// Root mean square of an element of Q, K, V or dout, without the rounding.
  double rms_of(Tensor tensor) const;

  /// The channels of a row of Q, K, V or dout, already rounded to the problem's dtype.
  void row(Tensor tensor, std::int64_t batch, std::int64_t token, int head, std::span<float> values) const;
  /// The sink of a query head in fp32: normal with a standard deviation of 2 around the size of a long row's lse, so
  /// that a sink takes about half of the softmax and one that is dropped cannot hide.
  float sink(int head) const;

  /// Writes the rows of `tokens` (all of the batch, all heads of Q, K, V or dout) into `view`.
  void fill(const TensorView& view, Tensor tensor, const Tokens& tokens, int threads = 1) const;
  /// The same of a buffer of an input (Q, K and V, dout, or all sinks), by its role.
  void fill(const BufferView& view, Role role, const Tokens& tokens, int threads = 1) const;
  /// Writes all sinks.
  void fill_sinks(std::span<float> sinks) const;

  /// Where `nan` puts the NaN: batch 0, this K/V head, channel 0, the token in the middle.
  static constexpr int kNanHead = 0;
  std::int64_t nan_token() const { return problem_.seq_len / 2; }

 private:
  double scale_of(Tensor tensor) const;
  int outliers() const;
  void enlarge_outliers(int head, std::span<float> values) const;

  Problem problem_;
  InputKind kind_;
  std::uint64_t seed_;
};

}  // namespace cpbench
