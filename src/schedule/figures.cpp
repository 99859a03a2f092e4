#include "schedule/figures.hpp"

namespace cpbench {
namespace {

void count_sends(const Program& program, const Exchange& exchange, std::int64_t batch, int rank, int ranks_per_node,
                 RankFigures& figures) {
  for (const Transfer& t : program.sends(exchange)) {
    if (t.peer == rank) continue;
    const std::int64_t bytes = program.bytes(t.region, batch);
    const bool within = ranks_per_node == 0 || t.peer / ranks_per_node == rank / ranks_per_node;
    figures.bytes_by_link[static_cast<std::size_t>(t.link)] += bytes;
    (within ? figures.bytes_within_node : figures.bytes_between_nodes) += bytes;
    ++figures.messages;
  }
}

}  // namespace

int128 pairs_of(const Program& program, const Op& op, std::int64_t batch) {
  if (const auto* a = std::get_if<Attend>(&op.action)) return pairs_of(program.tiles_of(*a)) * a->heads.count * batch;
  if (const auto* b = std::get_if<AttendBackward>(&op.action)) {
    return pairs_of(program.tiles_of(*b)) * b->heads.count * batch;
  }
  return 0;
}

RankFigures figures_of(const Schedule& schedule, int rank, int ranks_per_node) {
  const Problem& problem = schedule.of.problem;
  const Program& program = schedule.programs[static_cast<std::size_t>(rank)];
  RankFigures figures;
  for (const Op& op : program.ops) {
    if (!belongs_to(op, schedule.of.pass)) continue;
    (op.backward ? figures.backward_pairs : figures.forward_pairs) += pairs_of(program, op, problem.batch);
    if (const auto* e = std::get_if<Exchange>(&op.action)) {
      count_sends(program, *e, problem.batch, rank, ranks_per_node, figures);
    }
  }
  figures.flops = forward_flops(figures.forward_pairs, problem.head_dim, problem.head_dim_v) +
                  backward_flops(figures.backward_pairs, problem.head_dim, problem.head_dim_v);
  return figures;
}

}  // namespace cpbench
