#include <utility>

#include "schedule/passes.hpp"

namespace cpbench {

void state_links(Program& program, const Grid& grid, int rank) {
  for (std::size_t i = 0; i < program.transfers.size(); ++i) {
    const Transfer& transfer = std::as_const(program).transfers[i];
    const Link link = link_between(grid, rank, transfer.peer);
    if (transfer.link != link) program.transfers[i].link = link;  // pages that stay as they are stay shared
  }
}

}  // namespace cpbench
