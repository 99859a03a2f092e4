#include "schedule/algorithms/sink_gradient.hpp"

namespace cpbench {

void sum_sink_gradient(ProgramBuilder& b, const Operands& x, int rank) {
  if (x.sink == kNoBuffer) return;
  const BufferId sum = b.per_head(Role::kDsink);
  if (rank == 0) b.owned().dsink = sum;
  b.compute({"sink gradient"},
            SinkGradient{.sink = x.sink, .lse = x.lse, .delta = x.delta, .dsink = sum, .heads = x.heads});
  for (int stride = 1, level = 0; stride < b.of().cp_size(); stride *= 2, ++level) {
    const Label label{"dsink to parent", level};
    const bool child = rank % (2 * stride) == stride;
    const bool parent = rank % (2 * stride) == 0 && rank + stride < b.of().cp_size();
    if (!parent) {
      b.exchange(label, Stream::kGradient,
                 child ? std::vector<Transfer>{{rank - stride, b.whole(sum)}} : std::vector<Transfer>{}, {});
      continue;
    }
    const BufferId part = b.per_head(Role::kDsink);
    b.exchange(label, Stream::kGradient, {}, {{rank + stride, b.whole(part)}});
    b.compute({"add dsink", label.major}, Add{.to = b.whole(sum), .from = b.whole(part)});
  }
}

}  // namespace cpbench
