#include "run/fault_injector.hpp"

namespace cpbench {

FaultInjector::FaultInjector(const Plant& plant, const ProgramMemory& memory, Backend& backend)
    : plant_(plant), planted_{memory.problem, &plant_.program, memory.buffers}, aside_(memory) {
  for (std::size_t id = memory.buffers.size(); id < plant_.program.buffers.size(); ++id) {
    planted_.buffers.push_back(allocate(plant_.program.buffers[id], backend));
  }
  if (!plant_.stale_exchange) return;
  const Op& op = plant_.program.ops[static_cast<std::size_t>(*plant_.stale_exchange)];
  for (const Transfer& transfer : plant_.program.receives(std::get<Exchange>(op.action))) {
    const BufferId id = transfer.region.buffer;
    aside_.buffers[static_cast<std::size_t>(id)] = allocate(plant_.program.buffer(id), backend);
  }
}

std::byte* FaultInjector::allocate(const Buffer& buffer, Backend& backend) {
  return allocations_.emplace_back(backend.allocate(buffer.bytes(planted_.problem->batch)))->data();
}

std::vector<Computation> FaultInjector::computations(OpId id, const ProgramMemory& memory, Backend& backend) const {
  const auto planted = plant_.instead.find(id);
  if (planted == plant_.instead.end()) return Interpretation::computations(id, memory, backend);
  std::vector<Computation> instead;
  for (const Op& op : planted->second) instead.push_back(backend.prepare(op, planted_));
  return instead;
}

const ProgramMemory& FaultInjector::receiving_memory(OpId exchange, const ProgramMemory& memory) const {
  return exchange == plant_.stale_exchange ? aside_ : memory;
}

}  // namespace cpbench
