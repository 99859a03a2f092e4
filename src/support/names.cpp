#include "support/names.hpp"

#include "support/error.hpp"
#include "support/nearest.hpp"

namespace cpbench {

void refuse_unknown(std::string_view what, std::string_view word, std::span<const std::string> known) {
  const std::string closest = nearest(word, known);
  const std::string hint = closest.empty() ? "" : fmt::format("; did you mean \"{}\"?", closest);
  refuse("unknown {} \"{}\"{} (known: {})", what, word, hint, fmt::join(known, ", "));
}

}  // namespace cpbench
