// What authors of kernels get wrong, each in a kernel of its own: `pairs`, which is right, asked for something else.
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "backend/kernel.hpp"

namespace cpbench {
namespace {

struct Mistake {
  std::function<void(AttendArguments&)> forward = [](AttendArguments&) {};
  std::function<void(AttendBackwardArguments&)> backward = [](AttendBackwardArguments&) {};
  std::function<void(const AttendArguments&)> afterwards = [](const AttendArguments&) {};
};

class MistakenKernel : public AttentionKernel {
 public:
  explicit MistakenKernel(Mistake mistake) : mistake_(std::move(mistake)) {}
  void attend(const AttendArguments& a, const KernelContext& context) override {
    AttendArguments changed = a;
    mistake_.forward(changed);
    right_->attend(changed, context);
    mistake_.afterwards(changed);
  }
  void attend_backward(const AttendBackwardArguments& a, const KernelContext& context) override {
    AttendBackwardArguments changed = a;
    mistake_.backward(changed);
    right_->attend_backward(changed, context);
  }

 private:
  Mistake mistake_;
  std::unique_ptr<AttentionKernel> right_ = make_kernel("pairs");
};

template <typename Arguments>
void count_heads_from_here(Arguments& a) {
  a.heads.q_global = a.heads.kv_global = 0;
}

/// lse to the base of 2.
void rescale_lse(const AttendArguments& a) {
  if (!a.last) return;
  for (std::int64_t b = 0; b < a.lse.batch; ++b) {
    for (std::int64_t row = 0; row < a.lse.rows; ++row) {
      for (int i = 0; i < a.heads.count; ++i)
        *a.lse.at<float>(b, row, a.heads.q_begin + i) *= std::numbers::log2e_v<float>;
    }
  }
}

/// Each row sees one key more, where the tile has one.
std::span<const Tile> widened(std::span<const Tile> tiles) {
  static std::vector<Tile> wide;
  wide.assign(tiles.begin(), tiles.end());
  for (Tile& tile : wide) ++tile.hi;
  return wide;
}

struct RegisterMistake : RegisterKernel {
  RegisterMistake(const std::string& name, const Mistake& mistake)
      : RegisterKernel({"mistaken-" + name, [mistake] { return std::make_unique<MistakenKernel>(mistake); }}) {}
};
const RegisterMistake kBand("band", {.forward = [](auto& a) { a.tiles = widened(a.tiles); }});
const RegisterMistake kBatch("batch", {.forward = [](auto& a) { a.q.batch_stride = 0; }});
const RegisterMistake kFirst("first", {.forward = [](auto& a) { a.first = false; }});
const RegisterMistake kFirstDq("first-dq", {.backward = [](auto& a) { a.first_dq = false; }});
const RegisterMistake kHeads("heads", {.forward = [](auto& a) { count_heads_from_here(a); }});
const RegisterMistake kLse("lse", {.afterwards = rescale_lse});
const RegisterMistake kSink("sink", {.forward = [](auto& a) { a.sink = nullptr; }});

}  // namespace
}  // namespace cpbench
