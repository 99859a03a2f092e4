#include "system/expectation.hpp"

#include <cmath>
#include <limits>

#include "system/rounding.hpp"

namespace cpbench::test {
namespace {

double dot(const double* a, const double* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

double norm(const double* a, std::int64_t count) { return std::sqrt(dot(a, a, count)); }

Dense norms_of(const Dense& tensor) {
  Dense norms(tensor.batch, tensor.rows, tensor.heads, 1);
  for (std::size_t row = 0; row < norms.values.size(); ++row) {
    norms.values[row] = norm(tensor.values.data() + row * index(tensor.dim), tensor.dim);
  }
  return norms;
}

/// y += alpha * x
void axpy(double alpha, const double* x, double* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += alpha * x[i];
}

Dense load(const Inputs& inputs, Tensor tensor) {
  const Problem& p = inputs.problem();
  Dense values(p.batch, p.seq_len, inputs.heads_of(tensor), inputs.dim_of(tensor));
  std::vector<float> row(index(values.dim));
  for (std::int64_t b = 0; b < values.batch; ++b) {
    for (std::int64_t token = 0; token < values.rows; ++token) {
      for (std::int64_t head = 0; head < values.heads; ++head) {
        inputs.row(tensor, b, token, static_cast<int>(head), row);
        std::copy(row.begin(), row.end(), values.at(b, token, head));
      }
    }
  }
  return values;
}

/// A key of a query row: all that the row's sums are made of.
struct Pair {
  std::int64_t key;
  double score, probability;
  double probability_error;  ///< relative, fp32 arithmetic only
};

class BruteForce {
 public:
  BruteForce(const Case& c, const Inputs& inputs)
      : p_(c.problem),
        has_backward_(c.pass != Pass::kForward),
        rounding_(c, inputs),
        inputs_(inputs),
        q_(load(inputs, Tensor::kQ)),
        k_(load(inputs, Tensor::kK)),
        v_(load(inputs, Tensor::kV)),
        dout_(load(inputs, Tensor::kDout)),
        k_norms_(norms_of(k_)),
        v_norms_(norms_of(v_)),
        exact_(Results::for_problem(p_)),
        tolerance_(Results::for_problem(p_)),
        dsink_error_(index(p_.heads), rounding_.none()) {
    for (Dense* tensor : {&tolerance_.out, &tolerance_.dq, &tolerance_.dk, &tolerance_.dv}) {
      *tensor = Dense(tensor->batch, tensor->rows, tensor->heads, 1);
    }
    for (std::int64_t query = 0; query < p_.seq_len; ++query) {
      auto& keys = allowed_.emplace_back();
      for (std::int64_t key = 0; key < p_.seq_len; ++key) {
        if (p_.allows(query, key)) keys.push_back(key);
      }
    }
  }

  Expectation run() {
    for (std::int64_t b = 0; b < p_.batch; ++b) {
      for (int kv_head = 0; kv_head < p_.kv_heads; ++kv_head) run_group(b, kv_head);
    }
    for (int head = 0; head < p_.heads && p_.sink; ++head) {
      *tolerance_.dsink.at(0, 0, head) = dsink_error_[index(head)].total();
    }
    return {std::move(exact_), std::move(tolerance_)};
  }

 private:
  static constexpr double kSpread = 4;  ///< standard deviations of a row's delta, a single random number

  /// The query heads of a K/V head: its gradients are summed over them.
  void run_group(std::int64_t b, int kv_head) {
    dk_error_.assign(index(p_.seq_len), rounding_.none());
    dv_error_.assign(index(p_.seq_len), rounding_.none());
    for (int head = kv_head * p_.group(); head < (kv_head + 1) * p_.group(); ++head) {
      for (std::int64_t query = 0; query < p_.seq_len; ++query) {
        load_row(b, query, head, kv_head);
        forward();
        if (has_backward_) backward();
      }
    }
    for (std::int64_t key = 0; key < p_.seq_len && has_backward_; ++key) {
      *tolerance_.dk.at(b, key, kv_head) =
          result_tolerance(dk_error_[index(key)], exact_.dk.at(b, key, kv_head), p_.head_dim);
      *tolerance_.dv.at(b, key, kv_head) =
          result_tolerance(dv_error_[index(key)], exact_.dv.at(b, key, kv_head), p_.head_dim_v);
    }
  }

  void load_row(std::int64_t b, std::int64_t query, int head, int kv_head) {
    row_ = {.b = b, .query = query, .head = head, .kv_head = kv_head};
    const double sink = p_.sink ? inputs_.sink(head) : -std::numeric_limits<double>::infinity();
    double max = sink;
    pairs_.clear();
    for (const std::int64_t key : allowed_[index(query)]) {
      const double score = p_.scale * dot(q_.at(b, query, head), k_.at(b, key, kv_head), p_.head_dim);
      pairs_.push_back({key, score, 0, 0});
      max = std::max(max, score);
    }
    double sum = std::exp(sink - max);
    for (const Pair& pair : pairs_) sum += std::exp(pair.score - max);
    row_.lse = max + std::log(sum);
    row_.sink_probability = std::exp(sink - row_.lse);
    row_.lse_error = rounding_.softmax_sum(pairs_.size()) + rounding_.exponential(row_.lse);
    const double q_norm = norm(q_.at(b, query, head), p_.head_dim);
    for (Pair& pair : pairs_) {
      pair.probability = std::exp(pair.score - row_.lse);
      const double terms = std::abs(p_.scale) * q_norm * *k_norms_.at(b, pair.key, kv_head);
      pair.probability_error =
          row_.lse_error + rounding_.sum(p_.head_dim) * terms + rounding_.underflow(pair.probability);
    }
  }

  void forward() {
    double* out = exact_.out.at(row_.b, row_.query, row_.head);
    ErrorSum roundings = rounding_.none();
    double linear = 0, scores_error = 0;
    for (const Pair& pair : pairs_) {
      const double* v = v_.at(row_.b, pair.key, row_.kv_head);
      const double v_norm = *v_norms_.at(row_.b, pair.key, row_.kv_head);
      axpy(pair.probability, v, out, p_.head_dim_v);
      roundings.add_rounding(rounding_.of(pair.probability) * v_norm);
      linear += pair.probability * pair.probability_error * v_norm;
      scores_error += pair.probability * pair.probability_error;
    }
    *exact_.lse.at(row_.b, row_.query, row_.head) = row_.lse;
    *tolerance_.lse.at(row_.b, row_.query, row_.head) = row_.lse_error + scores_error;
    row_.sum_rounding = roundings.total() / std::sqrt(p_.head_dim_v);
    row_.out_arithmetic = 2 * linear;
    *tolerance_.out.at(row_.b, row_.query, row_.head) =
        result_tolerance(roundings, out, p_.head_dim_v) + row_.out_arithmetic;
  }

  void backward() {
    const double* out = exact_.out.at(row_.b, row_.query, row_.head);
    const double* dout = dout_.at(row_.b, row_.query, row_.head);
    const double delta = dot(out, dout, p_.head_dim_v);
    const double dout_norm = norm(dout, p_.head_dim_v);
    ErrorSum delta_error = rounding_.none();
    for (int i = 0; i < p_.head_dim_v; ++i) {
      delta_error.add_rounding(kSpread * (rounding_.of(out[i]) + row_.sum_rounding) * dout[i]);
    }
    delta_error.add_arithmetic(row_.out_arithmetic * dout_norm);
    backward_pairs(dout, dout_norm, delta, delta_error.total());

    if (!p_.sink) return;
    *exact_.dsink.at(0, 0, row_.head) -= row_.sink_probability * delta;
    ErrorSum& dsink_error = dsink_error_[index(row_.head)];
    dsink_error.add_rounding(row_.sink_probability * delta_error.total());
    dsink_error.add_arithmetic(row_.sink_probability * std::abs(delta) * rounding_.exponential(2 * row_.lse));
  }

  void backward_pairs(const double* dout, double dout_norm, double delta, double delta_error) {
    const double* q = q_.at(row_.b, row_.query, row_.head);
    const double q_norm = norm(q, p_.head_dim), scale = std::abs(p_.scale);
    double* dq = exact_.dq.at(row_.b, row_.query, row_.head);
    std::vector<double> mean_key(index(p_.head_dim));
    ErrorSum dq_error = rounding_.none();
    for (const Pair& pair : pairs_) {
      const double *k = k_.at(row_.b, pair.key, row_.kv_head), *v = v_.at(row_.b, pair.key, row_.kv_head);
      const double k_norm = *k_norms_.at(row_.b, pair.key, row_.kv_head);
      const double v_norm = *v_norms_.at(row_.b, pair.key, row_.kv_head);
      const double dp = dot(dout, v, p_.head_dim_v), ds = pair.probability * (dp - delta);
      axpy(p_.scale * ds, k, dq, p_.head_dim);
      axpy(p_.scale * ds, q, exact_.dk.at(row_.b, pair.key, row_.kv_head), p_.head_dim);
      axpy(pair.probability, dout, exact_.dv.at(row_.b, pair.key, row_.kv_head), p_.head_dim_v);

      axpy(pair.probability, k, mean_key.data(), p_.head_dim);
      const double error = pair.probability_error + rounding_.sum(p_.seq_len * p_.group());
      const double ds_arithmetic =
          std::abs(ds) * error + pair.probability * rounding_.sum(p_.head_dim_v) * dout_norm * v_norm;
      dq_error.add_rounding(scale * rounding_.of(ds) * k_norm);
      dq_error.add_arithmetic(scale * ds_arithmetic * k_norm);
      ErrorSum& dk_error = dk_error_[index(pair.key)];
      dk_error.add_rounding(scale * rounding_.of(ds) * q_norm);
      dk_error.add_rounding(scale * pair.probability * delta_error * q_norm);
      dk_error.add_arithmetic(scale * ds_arithmetic * q_norm);
      ErrorSum& dv_error = dv_error_[index(pair.key)];
      dv_error.add_rounding(rounding_.of(pair.probability) * dout_norm);
      dv_error.add_arithmetic(pair.probability * error * dout_norm);
    }
    dq_error.add_arithmetic(scale * delta_error * norm(mean_key.data(), p_.head_dim));
    *tolerance_.dq.at(row_.b, row_.query, row_.head) = result_tolerance(dq_error, dq, p_.head_dim);
  }

  double result_tolerance(const ErrorSum& error, const double* exact, int dim) const {
    return 2 * (rounding_.of_norm(norm(exact, dim), dim) + error.total());
  }

  struct Row {
    std::int64_t b, query;
    int head, kv_head;
    double lse = 0, sink_probability = 0;
    double lse_error = 0;       ///< but for that of the scores
    double sum_rounding = 0;    ///< per channel of out, of its terms
    double out_arithmetic = 0;  ///< over all channels
  };

  const Problem& p_;
  bool has_backward_;
  Roundings rounding_;
  const Inputs& inputs_;
  Dense q_, k_, v_, dout_;
  Dense k_norms_, v_norms_;
  std::vector<std::vector<std::int64_t>> allowed_;  ///< keys by query
  Results exact_, tolerance_;
  Row row_{};
  std::vector<Pair> pairs_;
  std::vector<ErrorSum> dk_error_, dv_error_;  ///< by key, of the K/V head at hand
  std::vector<ErrorSum> dsink_error_;          ///< by head
};

}  // namespace

Expectation expect(const Case& c, const Inputs& inputs) { return BruteForce(c, inputs).run(); }

}  // namespace cpbench::test
