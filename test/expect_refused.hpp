// Checks that bad input is refused with a message that helps.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "support/error.hpp"

namespace cpbench {

/// `action` throws an error of this code whose message contains every one of `parts`.
template <typename Action>
void expect_refused(Action&& action, std::initializer_list<std::string_view> parts, ExitCode code = ExitCode::kUsage) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    for (const std::string_view part : parts) {
      EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
          << "\"" << part << "\" is not in: " << error.what();
    }
    return;
  }
  ADD_FAILURE() << "not refused";
}

}  // namespace cpbench
