#include <algorithm>

#include "backend/cpu/blocked.hpp"
#include "backend/cpu/isa.hpp"

namespace cpbench {

std::vector<KvHead> kv_heads_of(const HeadMap& heads, int group, std::int64_t batch) {
  std::vector<KvHead> list;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (int i = 0; i < heads.count; ++i) {
      const int head = (heads.q_global + i) / group - heads.kv_global;
      if (i == 0 || list.back().head != head) {
        list.push_back({b, head, heads.q_begin + i, 1});
      } else {
        ++list.back().q_count;
      }
    }
  }
  return list;
}

namespace {

class BlockedKernel : public AttentionKernel {
 public:
  void attend(const AttendArguments& arguments, const KernelContext& context) override {
    attend_blocked(arguments, microkernels_for(arguments.q.dtype), workspace_for(context), context);
  }
  void attend_backward(const AttendBackwardArguments& arguments, const KernelContext& context) override {
    attend_backward_blocked(arguments, microkernels_for(arguments.q.dtype), workspace_for(context), context);
  }

 private:
  BlockedWorkspace& workspace_for(const KernelContext& context) {
    const auto threads = static_cast<std::size_t>(context.threads);
    if (workspace_.per_thread.size() < threads) workspace_.per_thread.resize(threads);
    return workspace_;
  }

  BlockedWorkspace workspace_;
};

const RegisterKernel kRegistered({"blocked", [] { return std::make_unique<BlockedKernel>(); }});

}  // namespace
}  // namespace cpbench
