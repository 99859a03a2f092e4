#include "result/environment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <regex>

#include "result/sha256.hpp"
#include "result/tool.hpp"

namespace cpbench {
namespace {

TEST(Environment, KeepsListedVariablesOnly) {
  ::setenv("OMP_PLACES", "cores", 1);
  ::unsetenv("NCCL_ALGO");
  ::setenv("OMPI_MCA_orte_precondition_transports", "0123456789abcdef-0123456789abcdef", 1);
  ::setenv("CPBENCH_TOKEN", "secret", 1);
  const Environment environment = this_environment("");
  EXPECT_EQ(environment.variables.at("OMP_PLACES"), "cores");
  EXPECT_FALSE(environment.variables.contains("NCCL_ALGO"));
  EXPECT_FALSE(environment.variables.contains("OMPI_MCA_orte_precondition_transports"));
  EXPECT_FALSE(environment.variables.contains("CPBENCH_TOKEN"));
  for (const auto& [name, value] : environment.variables) {
    EXPECT_EQ(std::ranges::count(kept_variables(), name), 1) << name;
  }
}

TEST(Environment, ListIsSortedAndHasNoSecretsByName) {
  EXPECT_TRUE(std::ranges::is_sorted(kept_variables()));
  const std::regex suspicious("TOKEN|SECRET|PASSW|CREDENTIAL|_KEY|_URI|PRECONDITION", std::regex::icase);
  for (std::string_view name : kept_variables()) EXPECT_FALSE(std::regex_search(std::string(name), suspicious)) << name;
}

TEST(Environment, NamesTheMachine) {
  const Environment environment = this_environment("MPICH Version: 4.0.2\nDevice: ch4:ofi");
  EXPECT_FALSE(environment.hostname.empty());
  EXPECT_FALSE(environment.cpu.empty());
  EXPECT_TRUE(environment.kernel.starts_with("Linux ")) << environment.kernel;
  EXPECT_EQ(environment.mpi, "MPICH Version: 4.0.2");
  EXPECT_FALSE(environment.cuda);
  EXPECT_FALSE(this_environment("").mpi);
}

TEST(Environment, TimeIsInUtc) {
  EXPECT_TRUE(std::regex_match(utc_now(), std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)"))) << utc_now();
}

TEST(Sha256, Fips180Examples) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Tool, KnowsItsVersionAndBuild) {
  const Tool tool = this_tool();
  EXPECT_TRUE(std::regex_match(tool.version, std::regex(R"(\d+\.\d+\.\d+)"))) << tool.version;
  EXPECT_FALSE(tool.build.type.empty());
  EXPECT_FALSE(tool.build.compiler.empty());
  EXPECT_EQ(tool.git.has_value(), tool.dirty.has_value());
  const std::string git = tool.git.value_or(std::string(40, '0'));
  EXPECT_TRUE(std::regex_search(git, std::regex("[0-9a-f]{40}$"))) << git;
}

}  // namespace
}  // namespace cpbench
