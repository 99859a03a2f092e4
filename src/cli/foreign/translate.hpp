// Launch lines from elsewhere: MindSpeed, Megatron and long-context-attention.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

struct Translation {
  std::vector<std::string> arguments;  ///< native flags only, but for words that nobody knows
  std::vector<std::string> notes;      ///< what was read into the line, and what was ignored; one line each
};

/// Replaces the foreign flags of a command line (without the program's name) by what they mean here. The program whose
/// flag is present decides the defaults of what the line leaves out. Flags that mean nothing to attention alone are
/// dropped with a note and decide nothing, and so are flags that have no effect beside the others; a line without
/// foreign flags comes back as it is.
/// Throws a usage error for bad values, and for flags that contradict each other or a native flag.
Translation translate_foreign(std::vector<std::string> arguments);

/// Every foreign flag, for "did you mean".
std::vector<std::string> foreign_flag_names();

}  // namespace cpbench
