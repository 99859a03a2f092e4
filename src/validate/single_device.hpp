// Attention on one device, row by row: what results are compared with, once as exact as it can be and once in the
// storage type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "problem/problem.hpp"
#include "shard/segment.hpp"
#include "validate/input.hpp"

namespace cpbench {

/// The query heads that share a K/V head, in one sequence of the batch: no value outside takes part in theirs.
struct HeadGroup {
  std::int64_t batch;
  int kv_head;
};

/// A row of a head group. `head` is a query head of the whole problem.
struct QueryRow {
  std::int64_t token;
  int head;
};

/// Rows of a softmax times V over some of their keys, before the division: sums over disjoint keys can be merged.
struct SoftmaxRows {
  std::vector<double> max, sum;  ///< [rows]: largest logit (-inf without keys), sum of exp(logit - max)
  std::vector<double> out;       ///< [rows, head_dim_v]: sum of exp(logit - max) * v
};

/// Finished rows.
struct ForwardRows {
  std::vector<double> out;  ///< [rows, head_dim_v]
  std::vector<double> lse;  ///< [rows]
};

/// What the backward pass needs to know of each query row.
struct RowStatistics {
  std::vector<double> lse;
  std::vector<double> delta;   ///< sum over channels of out * dout
  std::vector<double> spread;  ///< root of the sum of squares of the same terms: delta's rounding error scales with it

  explicit RowStatistics(std::size_t rows = 0) : lse(rows), delta(rows), spread(rows) {}
  void set(std::size_t row, double row_lse, std::span<const double> out, std::span<const float> dout);
};

struct QueryGradients {
  std::vector<double> dq;       ///< [rows, head_dim]
  std::vector<double> spread2;  ///< [rows], see SingleDevice
};

struct KeyGradients {
  std::vector<double> dk;       ///< [keys, head_dim]
  std::vector<double> dv;       ///< [keys, head_dim_v]
  std::vector<double> spread2;  ///< [keys], of dk, see SingleDevice
};

/// Appends rows.
void append(SoftmaxRows& to, const SoftmaxRows& from);
void append(QueryGradients& to, const QueryGradients& from);
void append(KeyGradients& to, const KeyGradients& from);

/// Computes rows of out, lse and dq, and rows of dk and dv, each from regenerated inputs and independently of all other
/// rows; a row costs O(keys * dim). Which pairs are attended is asked of Problem::keys_of and queries_of alone.
/// Sums are returned before their last rounding, so that parts of them can be computed by several ranks and added:
/// then `to_storage` rounds.
///
/// A row of dq or dk can be much smaller than the terms that it is a sum of: where one key has all the probability,
/// dP - delta cancels. Its `spread2` is the expected square of what an error of delta as large as delta's own terms
/// (see RowStatistics) leaves in it. As delta is made from a rounded out, no computation's error is far below epsilon
/// times its root.
class SingleDevice {
 public:
  virtual ~SingleDevice() = default;
  /// What reports call it.
  virtual std::string name() const = 0;
  /// Of the type that sums are made in.
  virtual double epsilon() const = 0;
  virtual SoftmaxRows attend(HeadGroup group, std::span<const QueryRow> rows, const Tokens& keys) const = 0;
  virtual QueryGradients query_gradients(HeadGroup group, std::span<const QueryRow> rows,
                                         const RowStatistics& statistics, const Tokens& keys) const = 0;
  /// Rows `keys` of dk and dv, summed over the group's heads and over `queries`. `statistics` are those of
  /// [group][queries].
  virtual KeyGradients key_gradients(HeadGroup group, std::span<const std::int64_t> keys,
                                     const RowStatistics& statistics, const Tokens& queries) const = 0;
  /// What is left of a value that is stored in the problem's dtype, or in fp32.
  virtual double to_storage(double value) const = 0;
  virtual double to_statistic(double value) const = 0;
};
/// `inputs` must outlive what is made. `threads`: of the host.
using MakeSingleDevice = std::function<std::unique_ptr<SingleDevice>(const Inputs& inputs, int threads)>;

/// Expected square of a row of Q or K as it enters a gradient: the factor of spread2.
double spread2_factor(const Inputs& inputs, Tensor tensor);

/// Adds the sinks, divides and rounds.
ForwardRows finish(const SingleDevice& device, const Inputs& inputs, std::span<const QueryRow> rows,
                   const SoftmaxRows& softmax);
/// Statistics of rows from their lse and (rounded) out.
RowStatistics statistics_of(const SingleDevice& device, const Inputs& inputs, HeadGroup group,
                            std::span<const QueryRow> rows, const ForwardRows& forward);

/// A part of the gradient of one sink: -sum over rows of exp(sink - lse) * delta.
struct SinkGradientPart {
  double sum = 0;
  double spread2 = 0;  ///< sum of squares of all its terms, channel by channel
};
/// Over rows [begin, begin + count) of the statistics.
SinkGradientPart sink_gradient(double sink, const RowStatistics& statistics, std::size_t begin, std::size_t count);

}  // namespace cpbench
