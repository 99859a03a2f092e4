// The flags of other programs that are understood: docs/foreign-flags.md says what each becomes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cpbench {

enum class Arity : std::uint8_t { kSwitch, kOne, kMany };

enum class ForeignMeaning : std::uint8_t {
  kMegatron,              ///< Megatron-LM, Megatron-core and MindSpeed, which patches them
  kLongContextAttention,  ///< feifeibear/long-context-attention, benchmark/benchmark_longctx.py
  kRefused,               ///< changes attention in a way that this program does not have
};

struct ForeignFlag {
  std::string_view name;
  Arity arity;
  ForeignMeaning meaning;
  std::string_view refused_value = {};  ///< with which alone it is refused; any, where there is none
  std::string_view reason = {};         ///< why it is refused, and what to do
};

std::span<const ForeignFlag> foreign_flags();
/// The flag of that name (without `=value`), or nullptr.
const ForeignFlag* find_foreign_flag(std::string_view name);

}  // namespace cpbench
