// What the flags of each other program mean. docs/foreign-flags.md has the tables.
#pragma once

#include "cli/foreign/line.hpp"

namespace cpbench {

/// Megatron-LM, Megatron-core and MindSpeed.
void translate_megatron(const GivenFlags& given, NativeLine& line);

/// feifeibear/long-context-attention.
void translate_long_context_attention(const GivenFlags& given, NativeLine& line);

}  // namespace cpbench
