#include "cli/commands/together.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "cli/commands/give_up.hpp"
#include "support/error.hpp"

namespace cpbench {

void together(const Communicator& ranks, const std::function<void()>& action) {
  ExitCode mine = ExitCode::kOk;
  std::string message;
  try {
    action();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kDevice) give_up(error);
    mine = error.code();
    message = error.what();
  } catch (const std::exception& error) {
    give_up(error);
  }
  ranks.barrier();
  const std::vector<ExitCode> codes = ranks.allgather(mine);
  ExitCode gravest = ExitCode::kOk;
  for (const ExitCode code : codes) gravest = graver(gravest, code);
  if (gravest == ExitCode::kOk) return;
  const std::vector<std::string> messages = ranks.gather(message);
  for (std::size_t rank = messages.size(); rank-- > 0;) {
    if (codes[rank] == gravest) message = messages[rank];
  }
  throw Error(gravest, ranks.broadcast(message));
}

void require_same(const Communicator& ranks, const std::string& what, const std::vector<std::string>& list) {
  std::string joined;
  for (const std::string& item : list) joined += item + '\0';
  std::istringstream text(ranks.broadcast(joined));
  std::vector<std::string> first;
  for (std::string item; std::getline(text, item, '\0');) first.push_back(item);
  together(ranks, [&] {
    const auto [mine, theirs] = std::ranges::mismatch(list, first);
    if (mine == list.end() && theirs == first.end()) return;
    refuse("{} are not the same on all ranks: `{}` on rank {}, and `{}` on rank 0", what,
           mine == list.end() ? "" : *mine, ranks.rank(), theirs == first.end() ? "" : *theirs);
  });
}

}  // namespace cpbench
