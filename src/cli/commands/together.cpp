#include "cli/commands/together.hpp"

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
  std::vector<ExitCode> codes;
  ExitCode gravest = ExitCode::kOk;
  for (const auto& code : ranks.allgather(std::vector<double>{static_cast<double>(mine)})) {
    codes.push_back(static_cast<ExitCode>(static_cast<int>(code.front())));
    gravest = graver(gravest, codes.back());
  }
  if (gravest == ExitCode::kOk) return;
  const std::vector<std::string> messages = ranks.gather(message);
  for (std::size_t rank = messages.size(); rank-- > 0;) {
    if (codes[rank] == gravest) message = messages[rank];
  }
  throw Error(gravest, ranks.broadcast(message));
}

}  // namespace cpbench
