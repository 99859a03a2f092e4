#include "cli/commands/memory_plans.hpp"

#include "schedule/schedule.hpp"

namespace cpbench {

MemoryPlan plan_of_programs(const Case& c, std::int64_t available) {
  MemoryPlan plan{.bytes = planning_bytes(c, available), .what = "the programs of all ranks", .remedies = {}};
  const bool has_documents = c.problem.documents.count() > 1;
  // Shards that scatter a document over all ranks give every two of them work on it.
  const bool scatters = c.shard == ShardKind::kStriped || c.shard == ShardKind::kZigzagDocs;
  if (c.cp_size() > 1) plan.remedies.emplace_back("a smaller --cp-size");
  if (has_documents) plan.remedies.emplace_back("fewer documents");
  if (has_documents && scatters) plan.remedies.emplace_back("--shard contiguous");
  return plan;
}

MemoryPlan plan_of_buffers(const Case& c, std::int64_t bytes, std::function<std::int64_t()> unpruned_bytes) {
  MemoryPlan plan{.bytes = bytes, .what = "buffers", .remedies = {"a shorter --seq-len"}};
  if (c.problem.heads > 1) plan.remedies.emplace_back("fewer --heads");
  if (c.problem.batch > 1) plan.remedies.emplace_back("a smaller --batch");
  if (unpruned_bytes) plan.alternatives.push_back({"--prune off", std::move(unpruned_bytes)});
  return plan;
}

}  // namespace cpbench
