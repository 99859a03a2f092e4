#include "schedule/passes.hpp"

namespace cpbench {
namespace {

BufferId copy_of(Program& program, BufferId id) {
  program.buffers.push_back(Buffer(program.buffer(id)));
  return static_cast<BufferId>(program.buffers.size()) - 1;
}

}  // namespace

void accumulate_by_merging(Program& program) {
  PagedVector<Op> ops;
  for (Op& op : program.ops) {
    Attend* attend = std::get_if<Attend>(&op.action);
    if (attend == nullptr || (attend->first && attend->last)) {
      ops.push_back(op);
      continue;
    }
    const bool starts = attend->first;
    attend->first = attend->last = true;
    if (starts) {  // the first partial result is the running one, and has the sink in it
      ops.push_back(op);
      continue;
    }
    const Merge merge{.out = attend->out,
                      .lse = attend->lse,
                      .partial_out = copy_of(program, attend->out),
                      .partial_lse = copy_of(program, attend->lse),
                      .heads = attend->heads};
    attend->out = merge.partial_out;
    attend->lse = merge.partial_lse;
    attend->sink = kNoBuffer;
    Op merging = op;
    merging.action = merge;
    merging.label.text = "merge";
    ops.push_back(op);
    ops.push_back(merging);
  }
  program.ops = std::move(ops);
}

}  // namespace cpbench
