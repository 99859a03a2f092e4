// A kernel from outside, as docs/kernels.md describes one: this file alone adds it to the program. It goes pair by
// pair, which is the shortest way to write attention down. `pairs-lossy` is the same with a mistake that looks
// harmless; `pairs-tiring` and `pairs-sleepy` are right for a while; `pairs-greedy` runs out of memory, and
// `pairs-mistaken` finds itself in a state that cannot be; `pairs-slow` takes its time, and `pairs-silent` besides
// never polls.
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "backend/cpu/parallel.hpp"
#include "backend/kernel.hpp"

namespace cpbench {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

template <typename T>
float dot(const T* a, const T* b, std::int64_t count) {
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += to_float(a[i]) * to_float(b[i]);
  return sum;
}

/// to += factor * from
template <typename T>
void add_scaled(float factor, const T* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += factor * to_float(from[i]);
}

/// A gradient of one sequence in fp32, [row][head][dim], so that a call rounds it once, whatever type it has.
class GradientSum {
 public:
  GradientSum(const TensorView& gradient, std::int64_t b, bool starts)
      : gradient_(gradient), b_(b), sum_(static_cast<std::size_t>(gradient.rows * gradient.heads * gradient.dim)) {
    if (!starts) for_each([](auto& element, float& sum) { sum = to_float(element); });
  }
  float* at(std::int64_t row, std::int64_t head) {
    return sum_.data() + (row * gradient_.heads + head) * gradient_.dim;
  }
  /// Brings the heads [begin, end) back.
  void store(std::int64_t begin, std::int64_t end) {
    for_each([]<typename T>(T& element, float& sum) { element = from_float<T>(sum); }, begin, end);
  }

 private:
  template <typename Visit>
  void for_each(Visit&& visit) {
    for_each(visit, 0, gradient_.heads);
  }
  template <typename Visit>
  void for_each(Visit&& visit, std::int64_t begin, std::int64_t end) {
    with_type(gradient_.dtype, [&]<typename T>(T) {
      for (std::int64_t row = 0; row < gradient_.rows; ++row) {
        for (std::int64_t head = begin; head < end; ++head) {
          T* elements = gradient_.at<T>(b_, row, head);
          for (std::int64_t x = 0; x < gradient_.dim; ++x) visit(elements[x], at(row, head)[x]);
        }
      }
    });
  }

  const TensorView& gradient_;
  std::int64_t b_;
  std::vector<float> sum_;
};

/// Calls visit(row of q, row of k) for every pair that the tiles allow.
template <typename Visit>
void for_pairs(std::span<const Tile> tiles, Visit&& visit) {
  for (const Tile& tile : tiles) {
    for (std::int64_t i = 0; i < tile.q_count; ++i) {
      for (std::int64_t j = tile.key_begin(i); j < tile.key_end(i); ++j) visit(tile.q_begin + i, tile.k_begin + j);
    }
  }
}

/// Calls work(query head, K/V head) for every query head. Heads may share a K/V head, and so its gradients: only
/// sequences are worked on side by side.
template <typename Arguments, typename Work>
void for_heads(const Arguments& a, Poller& poller, Work&& work) {
  for (int i = 0; i < a.heads.count; ++i) {
    work(a.heads.q_begin + i, (a.heads.q_global + i) / a.group - a.heads.kv_global);
    poller();
  }
}

class PairsKernel : public AttentionKernel {
 public:
  explicit PairsKernel(bool lossy) : lossy_(lossy) {}

  void attend(const AttendArguments& a, const KernelContext& context) override {
    parallel_for(a.q.batch, context, [&](std::int64_t b, Poller& poller) {
      with_type(a.q.dtype, [&]<typename T>(T) {
        for_heads(a, poller, [&](int head, int kv_head) { attend_head<T>(a, b, head, kv_head); });
      });
    });
  }

  void attend_backward(const AttendBackwardArguments& a, const KernelContext& context) override {
    parallel_for(a.q.batch, context, [&](std::int64_t b, Poller& poller) {
      GradientSum dq(a.dq, b, a.first_dq), dk(a.dk, b, a.first_dkv), dv(a.dv, b, a.first_dkv);
      with_type(a.q.dtype, [&]<typename T>(T) {
        for_heads(a, poller, [&](int head, int kv_head) { head_gradients<T>(a, b, head, kv_head, dq, dk, dv); });
      });
      dq.store(a.heads.q_begin, a.heads.q_begin + a.heads.count);
      dk.store(0, a.dk.heads);
      dv.store(0, a.dv.heads);
    });
  }

 private:
  template <typename T>
  void attend_head(const AttendArguments& a, std::int64_t b, int head, int kv_head) const {
    const std::int64_t dim = a.v.dim;
    // The state of a row, as this kernel likes it: O, not divided by l, then m, then l.
    const auto state = [&](std::int64_t row) {
      return a.state + ((b * a.q.heads + head) * a.q.rows + row) * (dim + 2);
    };
    if (a.first) {
      const float sink = a.sink == nullptr ? kMinusInfinity : a.sink[a.heads.q_global + head - a.heads.q_begin];
      for (std::int64_t row = 0; row < a.q.rows; ++row) {
        std::fill_n(state(row), dim, 0.0f);
        state(row)[dim] = sink;
        state(row)[dim + 1] = sink == kMinusInfinity ? 0.0f : 1.0f;
      }
    }
    for_pairs(a.tiles, [&](std::int64_t i, std::int64_t j) {
      const float score =
          static_cast<float>(a.scale) * dot(a.q.at<const T>(b, i, head), a.k.at<const T>(b, j, kv_head), a.q.dim);
      float *o = state(i), &m = o[dim], &l = o[dim + 1];
      if (score > m) {
        const float shrink = std::exp(m - score);
        for (std::int64_t x = 0; x < dim; ++x) o[x] *= shrink;
        if (!lossy_) l *= shrink;  // what is easily forgotten
        m = score;
      }
      l += std::exp(score - m);
      add_scaled(std::exp(score - m), a.v.at<const T>(b, j, kv_head), dim, o);
    });
    if (!a.last) return;
    for (std::int64_t row = 0; row < a.q.rows; ++row) {
      const float m = state(row)[dim], l = state(row)[dim + 1];
      T* out = a.out.at<T>(b, row, head);
      for (std::int64_t x = 0; x < dim; ++x) out[x] = from_float<T>(l == 0 ? 0 : state(row)[x] / l);
      *a.lse.at<float>(b, row, head) = l == 0 ? kMinusInfinity : m + std::log(l);
    }
  }

  template <typename T>
  static void head_gradients(const AttendBackwardArguments& a, std::int64_t b, int head, int kv_head, GradientSum& dq,
                             GradientSum& dk, GradientSum& dv) {
    const auto scale = static_cast<float>(a.scale);
    for_pairs(a.tiles, [&](std::int64_t i, std::int64_t j) {
      const T *q = a.q.at<const T>(b, i, head), *k = a.k.at<const T>(b, j, kv_head);
      const T *v = a.v.at<const T>(b, j, kv_head), *dout = a.dout.at<const T>(b, i, head);
      const float p = std::exp(scale * dot(q, k, a.q.dim) - *a.lse.at<const float>(b, i, head));
      const float ds = scale * p * (dot(dout, v, a.v.dim) - *a.delta.at<const float>(b, i, head));
      add_scaled(p, dout, a.v.dim, dv.at(j, kv_head));
      add_scaled(ds, q, a.q.dim, dk.at(j, kv_head));
      add_scaled(ds, k, a.q.dim, dq.at(i, head));
    });
  }

  bool lossy_;
};

/// Right in its first two steps forward and backward, those of one run on two ranks. After that it computes something
/// else, or falls asleep and leaves what earlier runs made.
class TiringKernel : public AttentionKernel {
 public:
  explicit TiringKernel(bool falls_asleep) : falls_asleep_(falls_asleep) {}
  void attend(const AttendArguments& a, const KernelContext& context) override {
    AttendArguments changed = a;
    if (++attends_ > kRightSteps) changed.scale *= 1.125;
    if (changed.scale == a.scale || !falls_asleep_) pairs_.attend(changed, context);
  }
  void attend_backward(const AttendBackwardArguments& a, const KernelContext& context) override {
    AttendBackwardArguments changed = a;
    if (++backward_attends_ > kRightSteps) changed.scale *= 1.125;
    if (changed.scale == a.scale || !falls_asleep_) pairs_.attend_backward(changed, context);
  }

 private:
  static constexpr int kRightSteps = 2;
  PairsKernel pairs_{false};
  bool falls_asleep_;
  int attends_ = 0, backward_attends_ = 0;
};

/// Takes its time for each attend, in one work item, after which parallel_for polls; or never polls.
class SlowKernel : public AttentionKernel {
 public:
  explicit SlowKernel(bool polls) : polls_(polls) {}
  void attend(const AttendArguments& a, const KernelContext& context) override { pairs_.attend(a, slow(context)); }
  void attend_backward(const AttendBackwardArguments& a, const KernelContext& context) override {
    pairs_.attend_backward(a, slow(context));
  }

 private:
  KernelContext slow(const KernelContext& context) const {
    KernelContext own = context;
    if (!polls_) own.poll = [] {};
    parallel_for(1, own, [](std::int64_t, Poller&) { std::this_thread::sleep_for(std::chrono::milliseconds(30)); });
    return own;
  }
  PairsKernel pairs_{false};
  bool polls_;
};

/// Its threads throw.
class FailingKernel : public AttentionKernel {
 public:
  explicit FailingKernel(std::function<void()> fail) : fail_(std::move(fail)) {}
  void attend(const AttendArguments& a, const KernelContext& context) override {
    parallel_for(a.q.batch, context, [this](std::int64_t, Poller&) { fail_(); });
  }
  void attend_backward(const AttendBackwardArguments&, const KernelContext&) override {}

 private:
  std::function<void()> fail_;
};

[[noreturn]] void find_no_memory() { throw std::bad_alloc(); }
[[noreturn]] void find_a_mistake() { throw std::logic_error("there are less than no keys"); }

const RegisterKernel kRegistered({"pairs", [] { return std::make_unique<PairsKernel>(false); }});
const RegisterKernel kLossy({"pairs-lossy", [] { return std::make_unique<PairsKernel>(true); }});
const RegisterKernel kTiring({"pairs-tiring", [] { return std::make_unique<TiringKernel>(false); }});
const RegisterKernel kSleepy({"pairs-sleepy", [] { return std::make_unique<TiringKernel>(true); }});
const RegisterKernel kSlow({"pairs-slow", [] { return std::make_unique<SlowKernel>(true); }});
const RegisterKernel kSilent({"pairs-silent", [] { return std::make_unique<SlowKernel>(false); }});
const RegisterKernel kGreedy({"pairs-greedy", [] { return std::make_unique<FailingKernel>(find_no_memory); }});
const RegisterKernel kMistaken({"pairs-mistaken", [] { return std::make_unique<FailingKernel>(find_a_mistake); }});

}  // namespace
}  // namespace cpbench
