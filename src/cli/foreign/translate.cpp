#include "cli/foreign/translate.hpp"

#include <algorithm>

#include "cli/foreign/dialects.hpp"
#include "support/error.hpp"

namespace cpbench {
namespace {

// Native axes beside foreign flags that are axes but for the hyphen: a slip, which must not change what the line leaves
// out to another program's defaults.
void refuse_slips(const GivenFlags& given, const NativeLine& line) {
  const auto names = given.names_of(ForeignMeaning::kLongContextAttention);
  const auto axis_of = [](const std::string& flag) { return find_axis(std::string_view(flag).substr(2)); };
  if (!std::ranges::all_of(names, axis_of)) return;
  if (std::ranges::none_of(all_axes(), [&](const AxisInfo& info) { return line.names(info.axis); })) return;
  refuse("{}: did you mean {}? It is a flag of long-context-attention, whose defaults would hold for the whole line",
         names.front(), axis_of(names.front())->flag());
}

}  // namespace

Translation translate_foreign(std::vector<std::string> arguments, const std::vector<std::string>& native_flags) {
  const GivenFlags given(arguments);
  const std::string_view megatron = given.first_of(ForeignMeaning::kMegatron);
  const std::string_view long_context = given.first_of(ForeignMeaning::kLongContextAttention);
  if (!megatron.empty() && !long_context.empty()) {
    refuse("{} is Megatron's and {} is long-context-attention's: give the flags of one of them", megatron,
           long_context);
  }
  std::vector<std::string> ignored = given.names_of(ForeignMeaning::kRefused);  // but not with these values
  if (!megatron.empty() || !long_context.empty()) {
    std::vector<std::string> known = foreign_flag_names();
    known.insert(known.end(), native_flags.begin(), native_flags.end());
    const std::vector<std::string> unknown = take_unknown_flags(arguments, known);
    ignored.insert(ignored.end(), unknown.begin(), unknown.end());
  }
  NativeLine line(std::move(arguments));
  if (!megatron.empty()) translate_megatron(given, line);
  if (!long_context.empty()) refuse_slips(given, line);
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
  if (!unread.empty()) notes.push_back(fmt::format("no effect on this line: {}", fmt::join(unread, " ")));
  if (!ignored.empty()) notes.push_back(fmt::format("ignored, as they mean nothing here: {}", fmt::join(ignored, " ")));
  return translation;
}

std::vector<std::string> foreign_flag_names() {
  std::vector<std::string> names;
  for (const ForeignFlag& flag : foreign_flags()) names.emplace_back(flag.name);
  return names;
}

}  // namespace cpbench
