// Errors that name the flag or the place in a file that their value came from.
#pragma once

#include <string_view>

#include "support/error.hpp"

namespace cpbench {

/// What `action` returns; an Error of it is thrown with `where` before its text.
template <typename Action>
auto naming(std::string_view where, Action&& action) {
  try {
    return action();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace cpbench
