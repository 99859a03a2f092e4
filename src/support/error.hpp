// The one kind of error that a user sees: a message and the exit code that goes with it.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace cpbench {

/// Exit codes of every command. Where several hold, the gravest wins: see `graver`.
enum class ExitCode : int {
  kOk = 0,
  kRegression = 1,       ///< `compare`: slower than the baseline; `doctor --strict`: findings
  kUsage = 2,            ///< usage or config error
  kInvalid = 3,          ///< validation failed, or verification
  kDevice = 4,           ///< CUDA, NCCL or MPI error, or one of the operating system
  kPlacement = 5,        ///< ranks, devices or memory do not fit the node
  kInconclusive = 6,     ///< `compare`: nothing could be judged, or with --strict not all
  kBaselineMissing = 7,  ///< `compare`: baseline or points missing; `report`: a file
  kInternal = 70,        ///< a bug of cpbench (sysexits.h: EX_SOFTWARE)
  kAllSkipped = 77,      ///< every point of a sweep was skipped
  kTimeout = 124,
};

/// The graver of two exit codes, in the order timeout, internal, device, placement, invalid, usage, baseline
/// missing, regression, inconclusive, all skipped, ok.
ExitCode graver(ExitCode a, ExitCode b);

/// What is thrown for everything that the user can mend. The message names the value and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Throws a usage error (exit 2) with a formatted message.
template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ExitCode::kUsage, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cpbench
