#include "backend/support/reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cpbench::test {
namespace {

template <typename Real>
Real dot(const double* a, const double* b, std::int64_t count) {
  Real sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<Real>(a[i]) * static_cast<Real>(b[i]);
  return sum;
}

template <typename Real>
Real round_probability(DType rounding, Real p) {
  return rounding == DType::kFp32 ? p : static_cast<Real>(round_to(rounding, static_cast<float>(p)));
}

std::vector<std::int64_t> keys_of(const std::vector<Tile>& tiles, std::int64_t row) {
  std::vector<std::int64_t> keys;
  for (const Tile& tile : tiles) {
    const std::int64_t i = row - tile.q_begin;
    if (i < 0 || i >= tile.q_count) continue;
    for (std::int64_t j = 0; j < tile.k_count; ++j) {
      if (i + tile.lo <= j && j <= i + tile.hi) keys.push_back(tile.k_begin + j);
    }
  }
  return keys;
}

/// One query row: everything about it, and its part of the gradients of K and V, which are summed in `Real`.
template <typename Real>
class Row {
 public:
  Row(const AttentionInputs& in, DType rounding, std::int64_t b, std::int64_t row, std::int64_t head)
      : in_(in), rounding_(rounding), b_(b), row_(row), head_(in.heads.q_begin + head) {
    kv_head_ = (in.heads.q_global + head) / in.group - in.heads.kv_global;
    sink_ = in.sink.empty() ? -std::numeric_limits<Real>::infinity()
                            : static_cast<Real>(in.sink[static_cast<std::size_t>(in.heads.q_global + head)]);
    keys_ = keys_of(in.tiles, row);
    for (const std::int64_t key : keys_) {
      scores_.push_back(static_cast<Real>(in.scale) *
                        dot<Real>(in.q.at(b, row, head_), in.k.at(b, key, kv_head_), in.q.dim));
    }
  }

  void forward(AttentionResults& results) const {
    Real m = sink_;
    for (const Real score : scores_) m = std::max(m, score);
    double* out = results.out.at(b_, row_, head_);
    double& lse = *results.lse.at(b_, row_, head_);
    lse = -std::numeric_limits<double>::infinity();
    if (m == -std::numeric_limits<Real>::infinity()) return;

    Real l = in_.sink.empty() ? Real{0} : std::exp(sink_ - m);
    std::vector<Real> sum(static_cast<std::size_t>(in_.v.dim), Real{0});
    for (std::size_t j = 0; j < keys_.size(); ++j) {
      const Real p = std::exp(scores_[j] - m);
      l += p;
      const double* v = in_.v.at(b_, keys_[j], kv_head_);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += round_probability(rounding_, p) * static_cast<Real>(v[i]);
    }
    for (std::size_t i = 0; i < sum.size(); ++i) out[i] = static_cast<double>(sum[i] / l);
    lse = static_cast<double>(m + std::log(l));
  }

  void backward(double lse, double delta, AttentionResults& results) const {
    if (keys_.empty()) return;
    const auto scale = static_cast<Real>(in_.scale);
    const double *q = in_.q.at(b_, row_, head_), *dout = in_.dout.at(b_, row_, head_);
    for (std::size_t j = 0; j < keys_.size(); ++j) {
      const double *k = in_.k.at(b_, keys_[j], kv_head_), *v = in_.v.at(b_, keys_[j], kv_head_);
      const Real p = std::exp(scores_[j] - static_cast<Real>(lse));
      const Real dp = dot<Real>(dout, v, in_.v.dim);
      const Real ds = round_probability(rounding_, p * (dp - static_cast<Real>(delta)));
      accumulate(round_probability(rounding_, p), dout, results.dv.at(b_, keys_[j], kv_head_), in_.v.dim);
      accumulate(scale * ds, q, results.dk.at(b_, keys_[j], kv_head_), in_.q.dim);
      accumulate(scale * ds, k, results.dq.at(b_, row_, head_), in_.q.dim);
    }
  }

 private:
  static void accumulate(Real factor, const double* from, double* to, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = static_cast<double>(static_cast<Real>(to[i]) + factor * static_cast<Real>(from[i]));
    }
  }

  const AttentionInputs& in_;
  DType rounding_;
  std::int64_t b_, row_, head_, kv_head_ = 0;
  Real sink_;
  std::vector<std::int64_t> keys_;
  std::vector<Real> scores_;
};

template <typename Visit>
void for_query_rows(const AttentionInputs& in, Visit&& visit) {
  for (std::int64_t b = 0; b < in.q.batch; ++b)
    for (std::int64_t head = 0; head < in.heads.count; ++head)
      for (std::int64_t row = 0; row < in.q.rows; ++row) visit(b, row, head);
}

}  // namespace

Dense delta_of(const Dense& out, const Dense& dout) {
  Dense delta(out.batch, out.rows, out.heads, 1);
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (std::int64_t row = 0; row < out.rows; ++row)
      for (std::int64_t head = 0; head < out.heads; ++head)
        *delta.at(b, row, head) = dot<double>(out.at(b, row, head), dout.at(b, row, head), out.dim);
  return delta;
}

template <typename Real>
AttentionResults attend_by_definition(const AttentionInputs& in, DType rounding, const AttentionResults* truth) {
  AttentionResults results{
      Dense(in.q.batch, in.q.rows, in.q.heads, in.v.dim), Dense(in.q.batch, in.q.rows, in.q.heads, 1),
      Dense(in.q.batch, in.q.rows, in.q.heads, in.q.dim), Dense(in.k.batch, in.k.rows, in.k.heads, in.k.dim),
      Dense(in.v.batch, in.v.rows, in.v.heads, in.v.dim)};
  for_query_rows(in, [&](auto b, auto row, auto head) { Row<Real>(in, rounding, b, row, head).forward(results); });
  const AttentionResults& saved = truth == nullptr ? results : *truth;
  const Dense delta = delta_of(saved.out, in.dout);
  for_query_rows(in, [&](auto b, auto row, auto head) {
    const std::int64_t local = in.heads.q_begin + head;
    Row<Real>(in, rounding, b, row, head).backward(*saved.lse.at(b, row, local), *delta.at(b, row, local), results);
  });
  return results;
}

template AttentionResults attend_by_definition<double>(const AttentionInputs&, DType, const AttentionResults*);
template AttentionResults attend_by_definition<float>(const AttentionInputs&, DType, const AttentionResults*);

}  // namespace cpbench::test
