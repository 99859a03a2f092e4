#include "support/error.hpp"

#include <algorithm>
#include <array>

namespace cpbench {

ExitCode graver(ExitCode a, ExitCode b) {
  constexpr std::array kGravestFirst = {
      ExitCode::kTimeout,         ExitCode::kInternal,   ExitCode::kDevice,
      ExitCode::kPlacement,       ExitCode::kInvalid,    ExitCode::kUsage,
      ExitCode::kBaselineMissing, ExitCode::kRegression, ExitCode::kInconclusive,
      ExitCode::kAllSkipped,      ExitCode::kOk,
  };
  return *std::find_if(kGravestFirst.begin(), kGravestFirst.end(),
                       [&](ExitCode code) { return code == a || code == b; });
}

}  // namespace cpbench
