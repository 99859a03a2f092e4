#include "cli/foreign/translate.hpp"

#include "cli/foreign/dialects.hpp"
#include "support/error.hpp"

namespace cpbench {

Translation translate_foreign(std::vector<std::string> arguments) {
  const GivenFlags given(arguments);
  NativeLine line(std::move(arguments));
  const std::string_view megatron = given.first_of(ForeignMeaning::kMegatron);
  const std::string_view long_context = given.first_of(ForeignMeaning::kLongContextAttention);
  if (!megatron.empty() && !long_context.empty()) {
    refuse("{} is Megatron's and {} is long-context-attention's: give the flags of one of them", megatron,
           long_context);
  }
  if (!megatron.empty()) translate_megatron(given, line);
  if (!long_context.empty()) translate_long_context_attention(given, line);

  Translation translation{line.arguments(), {}};
  auto& [native, notes] = translation;
  native.insert(native.end(), line.translated().begin(), line.translated().end());
  if (!line.translated().empty()) {
    notes.push_back(fmt::format("read as a line of {}, with its defaults: {}",
                                megatron.empty() ? "long-context-attention" : "Megatron or MindSpeed",
                                fmt::join(line.translated(), " ")));
  }
  notes.insert(notes.end(), line.notes().begin(), line.notes().end());
  const auto unread = given.unread();
  if (!unread.empty()) notes.push_back(fmt::format("without effect on this line: {}", fmt::join(unread, " ")));
  const auto ignored = given.names_of(ForeignMeaning::kIgnored);
  if (!ignored.empty()) notes.push_back(fmt::format("ignored, as they mean nothing here: {}", fmt::join(ignored, " ")));
  return translation;
}

std::vector<std::string> foreign_flag_names() {
  std::vector<std::string> names;
  for (const ForeignFlag& flag : foreign_flags()) names.emplace_back(flag.name);
  return names;
}

}  // namespace cpbench
