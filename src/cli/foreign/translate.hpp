// Launch lines from elsewhere: MindSpeed, Megatron and long-context-attention.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

struct Translation {
  std::vector<std::string> arguments;  ///< without foreign flags
  std::vector<std::string> notes;      ///< what was read into the line, and what was ignored; one line each
};

/// Replaces the foreign flags of a command line (without the program's name) by what they mean here. The program whose
/// flag is present decides the defaults of what the line leaves out. Such a line is a training job's, most of whose
/// flags mean nothing to attention: all that are neither foreign nor among `native_flags` are dropped with a note, and
/// so are flags that have no effect beside the others. A line without foreign flags comes back as it is.
/// Throws a usage error for bad values, for flags that contradict each other or a native flag, and for slips.
Translation translate_foreign(std::vector<std::string> arguments, const std::vector<std::string>& native_flags);

/// Every foreign flag, for "did you mean".
std::vector<std::string> foreign_flag_names();

}  // namespace cpbench
