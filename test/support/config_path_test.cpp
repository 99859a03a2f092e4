#include "support/config_path.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "expect_refused.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

class ConfigPath : public testing::Test {
 protected:
  ConfigPath() { setenv("CPBENCH_CONFIG_DIR", directory_.c_str(), /*overwrite=*/1); }
  ~ConfigPath() override { unsetenv("CPBENCH_CONFIG_DIR"); }

  const TemporaryDirectory temporary_;
  const std::filesystem::path& directory_ = temporary_.path();
};

TEST_F(ConfigPath, PrefersTheChosenDirectory) {
  std::ofstream(directory_ / "models.json") << "{}";
  EXPECT_EQ(find_config("models.json"), directory_ / "models.json");
}

TEST_F(ConfigPath, FallsBackToTheSourceTree) {
  const auto found = find_config("models.json");
  EXPECT_NE(found, directory_ / "models.json");
  EXPECT_TRUE(std::filesystem::exists(found));
}

TEST_F(ConfigPath, NamesThePathsThatItTried) {
  expect_refused([] { find_config("no-such-config.json"); },
                 {directory_.string() + "/no-such-config.json", "share/cpbench/configs/no-such-config.json",
                  "CPBENCH_CONFIG_DIR"});
}

TEST_F(ConfigPath, AGivenOneIsLookedForAsItIsFirst) {
  std::ofstream(directory_ / "models.json") << "{}";
  EXPECT_EQ(find_given_config("models.json"), directory_ / "models.json");
  EXPECT_EQ(find_given_config(directory_ / "models.json"), directory_ / "models.json");
  const std::string here = std::filesystem::current_path().string();
  expect_refused([] { find_given_config("./no-such.json"); },
                 {"\"./no-such.json\"", "no " + here + "/no-such.json", "no " + directory_.string() + "/no-such.json"});
}

TEST_F(ConfigPath, AGivenOneMayLackItsExtension) {
  std::ofstream(directory_ / "mine.json") << "{}";
  EXPECT_EQ(find_given_config("mine"), directory_ / "mine.json");
  EXPECT_EQ(find_given_config(directory_ / "mine"), directory_ / "mine.json");
  EXPECT_EQ(find_given_config("smoke"), find_config("smoke.json"));
  expect_refused([] { find_given_config("smok"); }, {"no " + directory_.string() + "/smok[.json]"});
}

TEST_F(ConfigPath, AnAbsoluteOneIsLookedForNowhereElse) {
  const std::string missing = "there is no /no/such.json; name a file that exists";
  expect_refused([] { find_given_config("/no/such.json"); }, {missing});
  try {
    find_given_config("/no/such.json");
  } catch (const Error& error) {
    EXPECT_TRUE(std::string_view(error.what()).ends_with(missing)) << error.what();
  }
}

}  // namespace
}  // namespace cpbench
