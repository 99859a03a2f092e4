// The kernel `simple`: plain loops that can be checked by reading. It is the yardstick for the correctness of faster
// ones, and the shortest example of a kernel.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/cpu/parallel.hpp"
#include "backend/kernel.hpp"

namespace cpbench {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kQueryBlock = 32;  // rows of an item of the forward pass
constexpr std::int64_t kKeyBlock = 64;    // keys whose scores are computed before the softmax sees them

float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// y += alpha * x
void axpy(float alpha, const float* x, float* y, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) y[i] += alpha * x[i];
}

/// Rows of one head as fp32, one after the other.
void load(const TensorView& from, std::int64_t b, std::int64_t row_begin, std::int64_t count, std::int64_t head,
          float* to) {
  with_type(from.dtype, [&]<typename T>(T) {
    for (std::int64_t row = 0; row < count; ++row) {
      const T* source = from.at<const T>(b, row_begin + row, head);
      for (std::int64_t i = 0; i < from.dim; ++i) to[row * from.dim + i] = to_float(source[i]);
    }
  });
}

void store(const float* from, const TensorView& to, std::int64_t b, std::int64_t row, std::int64_t head) {
  with_type(to.dtype, [&]<typename T>(T) {
    T* target = to.at<T>(b, row, head);
    for (std::int64_t i = 0; i < to.dim; ++i) target[i] = from_float<T>(from[i]);
  });
}

/// Adds `from`, one row after the other, to the rows of one head, which count as zero where `first` holds.
void accumulate(const float* from, const TensorView& to, std::int64_t b, std::int64_t head, bool first) {
  with_type(to.dtype, [&]<typename T>(T) {
    for (std::int64_t row = 0; row < to.rows; ++row) {
      T* target = to.at<T>(b, row, head);
      for (std::int64_t i = 0; i < to.dim; ++i) {
        target[i] = from_float<T>((first ? 0.0f : to_float(target[i])) + from[row * to.dim + i]);
      }
    }
  });
}

/// The rows of one head of the state: O [rows, dim_v], not yet divided by l, then m [rows], then l [rows].
struct State {
  float *o, *m, *l;
  State(const AttendArguments& a, std::int64_t b, std::int64_t head) {
    const std::int64_t rows = a.q.rows, dim = a.v.dim;
    o = a.state + (b * a.q.heads + head) * rows * (dim + 2);
    m = o + rows * dim;
    l = m + rows;
  }
};

/// One query row against `count` keys in fp32: the step of an online softmax.
void attend_row(const float* q, const float* k, const float* v, std::int64_t count, const AttendArguments& a, float* o,
                float& m, float& l) {
  float scores[kKeyBlock];
  float highest = m;
  for (std::int64_t j = 0; j < count; ++j) {
    scores[j] = static_cast<float>(a.scale) * dot(q, k + j * a.k.dim, a.k.dim);
    highest = std::max(highest, scores[j]);
  }
  if (highest == kMinusInfinity) return;
  const float shrink = std::exp(m - highest);
  for (std::int64_t i = 0; i < a.v.dim; ++i) o[i] *= shrink;
  l *= shrink;
  m = highest;
  for (std::int64_t j = 0; j < count; ++j) {
    const float p = std::exp(scores[j] - m);
    l += p;
    axpy(p, v + j * a.v.dim, o, a.v.dim);
  }
}

/// Query rows [row_begin, row_end) of one head.
class ForwardItem {
 public:
  ForwardItem(const AttendArguments& a, std::int64_t b, std::int64_t head, std::int64_t row_begin, std::int64_t row_end)
      : a_(a), b_(b), head_(a.heads.q_begin + head), row_begin_(row_begin), row_end_(row_end), state_(a, b, head_) {
    kv_head_ = (a.heads.q_global + head) / a.group - a.heads.kv_global;
    sink_ = a.sink == nullptr ? kMinusInfinity : a.sink[a.heads.q_global + head];
  }

  void run(Poller& poller) {
    if (a_.first) start();
    q_.resize(static_cast<std::size_t>((row_end_ - row_begin_) * a_.q.dim));
    k_.resize(static_cast<std::size_t>(kKeyBlock * a_.k.dim));
    v_.resize(static_cast<std::size_t>(kKeyBlock * a_.v.dim));
    load(a_.q, b_, row_begin_, row_end_ - row_begin_, head_, q_.data());
    for (const Tile& tile : a_.tiles) {
      attend(tile);
      poller();
    }
    if (a_.last) finish();
  }

 private:
  void start() {
    for (std::int64_t row = row_begin_; row < row_end_; ++row) {
      std::fill_n(state_.o + row * a_.v.dim, a_.v.dim, 0.0f);
      state_.m[row] = sink_;
      state_.l[row] = sink_ == kMinusInfinity ? 0.0f : 1.0f;
    }
  }

  void attend(const Tile& tile) {
    const std::int64_t i_begin = std::max(row_begin_, tile.q_begin) - tile.q_begin;
    const std::int64_t i_end = std::min(row_end_, tile.q_end()) - tile.q_begin;
    if (i_begin >= i_end) return;
    // The band's edges move to the right from row to row: these are the first row's begin and the last row's end.
    const std::int64_t j_end = tile.key_end(i_end - 1);
    for (std::int64_t block = tile.key_begin(i_begin); block < j_end; block += kKeyBlock) {
      const std::int64_t block_end = std::min(block + kKeyBlock, j_end);
      load(a_.k, b_, tile.k_begin + block, block_end - block, kv_head_, k_.data());
      load(a_.v, b_, tile.k_begin + block, block_end - block, kv_head_, v_.data());
      for (std::int64_t i = i_begin; i < i_end; ++i) {
        const std::int64_t begin = std::max(block, tile.key_begin(i)), end = std::min(block_end, tile.key_end(i));
        if (begin >= end) continue;
        const std::int64_t row = tile.q_begin + i;
        attend_row(q_.data() + (row - row_begin_) * a_.q.dim, k_.data() + (begin - block) * a_.k.dim,
                   v_.data() + (begin - block) * a_.v.dim, end - begin, a_, state_.o + row * a_.v.dim, state_.m[row],
                   state_.l[row]);
      }
    }
  }

  void finish() {
    std::vector<float> out(static_cast<std::size_t>(a_.v.dim));
    for (std::int64_t row = row_begin_; row < row_end_; ++row) {
      const float l = state_.l[row];
      const float inverse = l == 0 ? 0.0f : 1.0f / l;
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = state_.o[row * a_.v.dim + static_cast<std::int64_t>(i)] * inverse;
      }
      store(out.data(), a_.out, b_, row, head_);
      *a_.lse.at<float>(b_, row, head_) = l == 0 ? kMinusInfinity : state_.m[row] + std::log(l);
    }
  }

  const AttendArguments& a_;
  std::int64_t b_, head_, kv_head_ = 0;
  std::int64_t row_begin_, row_end_;
  float sink_ = kMinusInfinity;
  State state_;
  std::vector<float> q_, k_, v_;
};

/// One K/V head of one sequence with all query heads that read it: no two items write the same gradient.
class BackwardItem {
 public:
  BackwardItem(const AttendBackwardArguments& a, std::int64_t b, std::int64_t kv_head)
      : a_(a), b_(b), kv_head_(kv_head) {}

  void run(Poller& poller) {
    load_head(a_.k, kv_head_, k_);
    load_head(a_.v, kv_head_, v_);
    dk_.assign(k_.size(), 0.0f);
    dv_.assign(v_.size(), 0.0f);
    for (std::int64_t i = 0; i < a_.heads.count; ++i) {
      if ((a_.heads.q_global + i) / a_.group - a_.heads.kv_global == kv_head_) {
        attend_head(a_.heads.q_begin + i, poller);
      }
    }
    accumulate(dk_.data(), a_.dk, b_, kv_head_, a_.first_dkv);
    accumulate(dv_.data(), a_.dv, b_, kv_head_, a_.first_dkv);
  }

 private:
  void load_head(const TensorView& from, std::int64_t head, std::vector<float>& to) {
    to.resize(static_cast<std::size_t>(from.rows * from.dim));
    load(from, b_, 0, from.rows, head, to.data());
  }

  void attend_head(std::int64_t head, Poller& poller) {
    load_head(a_.q, head, q_);
    load_head(a_.dout, head, dout_);
    dq_.assign(q_.size(), 0.0f);
    for (const Tile& tile : a_.tiles) {
      for (std::int64_t i = 0; i < tile.q_count; ++i) {
        attend_row(head, tile, i);
        poller();
      }
    }
    accumulate(dq_.data(), a_.dq, b_, head, a_.first_dq);
  }

  void attend_row(std::int64_t head, const Tile& tile, std::int64_t i) {
    const std::int64_t row = tile.q_begin + i, dim = a_.k.dim, dim_v = a_.v.dim;
    const float lse = *a_.lse.at<const float>(b_, row, head), delta = *a_.delta.at<const float>(b_, row, head);
    if (lse == kMinusInfinity) return;  // exp(score - lse) would be NaN; the row attended nothing
    const auto scale = static_cast<float>(a_.scale);
    const float *q = q_.data() + row * dim, *dout = dout_.data() + row * dim_v;
    for (std::int64_t j = tile.k_begin + tile.key_begin(i); j < tile.k_begin + tile.key_end(i); ++j) {
      const float *k = k_.data() + j * dim, *v = v_.data() + j * dim_v;
      const float p = std::exp(scale * dot(q, k, dim) - lse);
      const float ds = scale * p * (dot(dout, v, dim_v) - delta);
      axpy(p, dout, dv_.data() + j * dim_v, dim_v);
      axpy(ds, q, dk_.data() + j * dim, dim);
      axpy(ds, k, dq_.data() + row * dim, dim);
    }
  }

  const AttendBackwardArguments& a_;
  std::int64_t b_, kv_head_;
  std::vector<float> q_, k_, v_, dout_, dq_, dk_, dv_;
};

class SimpleKernel : public AttentionKernel {
 public:
  void attend(const AttendArguments& a, const KernelContext& context) override {
    const std::int64_t blocks = (a.q.rows + kQueryBlock - 1) / kQueryBlock;
    parallel_for(a.q.batch * a.heads.count * blocks, context, [&](std::int64_t item, Poller& poller) {
      const std::int64_t begin = item % blocks * kQueryBlock, head = item / blocks % a.heads.count;
      const std::int64_t b = item / blocks / a.heads.count;
      ForwardItem(a, b, head, begin, std::min(a.q.rows, begin + kQueryBlock)).run(poller);
    });
  }

  void attend_backward(const AttendBackwardArguments& a, const KernelContext& context) override {
    parallel_for(a.k.batch * a.k.heads, context, [&](std::int64_t item, Poller& poller) {
      BackwardItem(a, item / a.k.heads, item % a.k.heads).run(poller);
    });
  }
};

const RegisterKernel kRegistered({"simple", [] { return std::make_unique<SimpleKernel>(); }});

}  // namespace
}  // namespace cpbench
