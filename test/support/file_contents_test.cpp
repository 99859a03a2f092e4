#include "support/file_contents.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

TEST(FileContents, AreAllBytes) {
  using namespace std::string_view_literals;
  for (const std::string_view content : {""sv, "two\nlines"sv, "\r\n\0\xff"sv}) {
    EXPECT_EQ(contents_of(TemporaryFile(content).path()), content);
  }
}

TEST(FileContents, WhatCannotBeReadIsNamed) {
  const TemporaryDirectory directory;
  const std::filesystem::path missing = directory.path() / "missing";
  expect_refused([&] { contents_of(missing); }, {missing.string(), "cannot be read"});
  expect_refused([&] { contents_of(directory.path()); }, {directory.path().string(), "cannot be read"});
}

}  // namespace
}  // namespace cpbench
