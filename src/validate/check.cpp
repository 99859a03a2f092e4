#include "validate/check.hpp"

#include <stdexcept>

#include "validate/group_results.hpp"

namespace cpbench {

ValidationReport check_results(const Inputs& inputs, const SingleDevice& reference, const CheckOptions& options,
                               const Tokens& tokens, const LocalResults& results, const Collective& collective) {
  const CheckContext context{inputs, reference, options, tokens, results, collective};
  const CheckMode mode = resolve(options.mode, inputs.problem(), options.pass, options.workers);
  switch (mode.kind) {
    case CheckMode::Kind::kFull:
      return check_full(context);
    case CheckMode::Kind::kSample:
      return check_sample(context, mode.rows);
    default:
      throw std::logic_error("check_results: nothing to check");
  }
}

}  // namespace cpbench
