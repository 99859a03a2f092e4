#include "cli/config/command_line.hpp"

#include <cstdlib>

#include "expect_refused.hpp"
#include "test_command_line.hpp"

namespace cpbench {
namespace {

using Values = std::vector<AxisValue>;

void expect_flags_refused(std::vector<std::string> flags, std::initializer_list<std::string_view> parts) {
  expect_refused([&] { parse_axes(flags); }, parts);
}

TEST(CommandLine, AxesTakeCommaListsAndRepetition) {
  const AxisValues values = parse_axes({"--algo", "ring,ulysses", "--cp-size=2,4", "--cp-size", "8", "--docs", "3,4",
                                        "--docs", "7", "--mask", "window:4:0,causal", "--sink", "--heads", "6"});
  EXPECT_EQ(values[Axis::kAlgo], (Values{"ring", "ulysses"}));
  EXPECT_EQ(values[Axis::kCpSize], (Values{2, 4, 8}));
  EXPECT_EQ(values[Axis::kDocs], (Values{Json{3, 4}, Json::array({7})}));
  EXPECT_EQ(values[Axis::kMask], (Values{"window:4:0", "causal"}));
  EXPECT_EQ(values[Axis::kSink], (Values{true}));
  EXPECT_EQ(values[Axis::kHeads], (Values{6}));
  EXPECT_TRUE(values[Axis::kBatch].empty());
}

TEST(CommandLine, BareFlagsMaySayOffAndSweep) {
  EXPECT_EQ(parse_axes({"--sink=off"})[Axis::kSink], (Values{false}));
  EXPECT_EQ(parse_axes({"--uneven-heads=off,on"})[Axis::kUnevenHeads], (Values{false, true}));
}

TEST(CommandLine, BadNumbersAreRefusedWithFlagAndValue) {
  for (const char* value : {"99999999999999999999", "-1", "0", "1e3", "12abc", "2,x"}) {
    const std::string offending = std::string(value) == "2,x" ? "x" : value;
    expect_flags_refused({"--seq-len", value}, {"--seq-len", offending});
    expect_flags_refused({std::string("--seq-len=") + value}, {"--seq-len", offending});
  }
  expect_flags_refused({"--seq-len", ""}, {"--seq-len", "empty"});
  expect_flags_refused({"--seq-len="}, {"--seq-len"});
  expect_flags_refused({"--seq-len=", "8"}, {"--seq-len"});
  expect_flags_refused({"--seq-len"}, {"--seq-len"});
}

TEST(CommandLine, UnknownFlagsAreRefusedWithTheNearest) {
  expect_flags_refused({"--seqlen", "5"}, {"--seqlen", "--seq-len"});
  expect_flags_refused({"--head-dims=64"}, {"--head-dims", "--head-dim"});
  expect_flags_refused({"--iteration", "5"}, {"--iteration", "--iterations"});
  expect_flags_refused({"--context-parallel-sizes", "5"}, {"--context-parallel-sizes", "--context-parallel-size"});
  expect_flags_refused({"--sink", "off"}, {"--sink takes no value", "\"off\"", "--sink=off"});
  expect_flags_refused({"--heads", "8", "off"}, {"unexpected argument", "off"});
  expect_flags_refused({"-z"}, {"-z"});
  expect_refused([] { TestCommandLine().parse({"rnu"}); },
                 {"unknown command \"rnu\"", "did you mean \"run\"?", "run, plan, doctor"});
  expect_refused([] { TestCommandLine().parse({}); }, {"subcommand"});
}

TEST(CommandLine, FlagsOfOtherCommandsAreRefusedWithTheirOwners) {
  expect_refused(
      [] {
        TestCommandLine().parse({"doctor", "--check", "sample"});
      },
      {"--check belongs to run, not to doctor"});
  expect_refused([] { TestCommandLine().parse({"doctor", "-n=3"}); }, {"-n belongs to run, not to doctor"});
  expect_refused([] { TestCommandLine().parse({"--heads=4", "run"}); }, {"--heads must come after the command run"});
}

TEST(CommandLine, FlagsWithoutEffectAreReadHiddenAndNamed) {
  TestCommandLine line;
  line.parse({"plan", "-n", "3", "--check=sample", "--overwrite", "--emulate-link", "20:5", "-J", "out.json"});
  const std::string note = note_on_flags_without_effect(line.app);
  EXPECT_EQ(note, "no effect on plan: --iterations --json --overwrite --check --emulate-link");
  EXPECT_EQ(TestCommandLine().parse({"plan", "--help"})->find("--iterations"), std::string::npos);
  expect_refused([] { TestCommandLine().parse({"plan", "--json"}); }, {"--json: the value is missing; expected: FILE"});
  expect_refused(
      [] {
        TestCommandLine().parse({"plan", "--chekc", "sample"});
      },
      {"unknown flag --chekc; did you mean --check?"});
  line.parse({"run", "-n", "3"});
  EXPECT_EQ(note_on_flags_without_effect(line.app), "");
}

TEST(CommandLine, ValuesMayBeNamesOfArgumentsAndVariables) {
  const auto accepted = [](const std::vector<std::string>& line) {
    EXPECT_EQ(TestCommandLine().parse(line), std::nullopt);
  };
  accepted({"run", "--json", "CPBENCH_ISA"});
  accepted({"run", "--isa", "CPBENCH_ISA"});
}

TEST(CommandLine, HelpAndVersionAreAskedForTexts) {
  EXPECT_NE(TestCommandLine().parse({"run", "--help"})->find("--window-size"), std::string::npos);
  EXPECT_NE(TestCommandLine().parse({"--help"})->find("run"), std::string::npos);
  EXPECT_EQ(TestCommandLine().parse({"--version"}), "cpbench 1.2.3\n");
}

TEST(CommandLine, HelpNamesEveryAxisAndItsDefault) {
  const std::string help = *TestCommandLine().parse({"run", "--help"});
  for (const AxisInfo& axis : all_axes()) {
    EXPECT_NE(help.find(axis.flag()), std::string::npos) << axis.name;
    EXPECT_NE(help.find("[" + std::string(axis.fallback) + "]"), std::string::npos) << axis.name;
  }
}

TEST(Options, HaveTheDocumentedDefaults) {
  unsetenv("CPBENCH_ISA");
  TestCommandLine line;
  line.parse({"run"});
  EXPECT_EQ(line.options.iterations, 20);
  EXPECT_EQ(line.options.warmup, 3);
  EXPECT_EQ(line.options.json, "");
  EXPECT_EQ(line.options.input, "normal");
  EXPECT_EQ(line.options.backend, "auto");
  EXPECT_EQ(line.options.isa, "auto");
  EXPECT_FALSE(line.options.overwrite);
  EXPECT_FALSE(line.options.timeout_s.has_value());
  EXPECT_FALSE(line.sweep.length_scale.has_value());
}

TEST(Options, AreRead) {
  TestCommandLine line;
  line.parse({"run", "-n", "7", "-w", "0", "-J", "out.json", "--overwrite", "--seed", "9223372036854775807",
              "--timeout", "1.5", "--emulate-link", "inner=20,outer=2:5", "--length-scale", "0.25", "--isa", "avx2"});
  EXPECT_EQ(line.options.iterations, 7);
  EXPECT_EQ(line.options.warmup, 0);
  EXPECT_EQ(line.options.json, "out.json");
  EXPECT_TRUE(line.options.overwrite);
  EXPECT_EQ(line.sweep.seed, 9223372036854775807u);
  EXPECT_EQ(line.options.timeout_s, 1.5);
  EXPECT_EQ(line.options.emulate_link, "inner=20,outer=2:5");
  EXPECT_EQ(line.sweep.length_scale, 0.25);
  EXPECT_EQ(line.options.isa, "avx2");
}

TEST(Options, TheEnvironmentNamesTheIsa) {
  setenv("CPBENCH_ISA", "avx512", 1);
  TestCommandLine line;
  line.parse({"run"});
  unsetenv("CPBENCH_ISA");
  EXPECT_EQ(line.options.isa, "avx512");
}

TEST(Options, BadValuesAreRefusedWithTheFlag) {
  expect_flags_refused({"--iterations", "0"}, {"--iterations", "0"});
  expect_flags_refused({"-n", "1e3"}, {"--iterations", "1e3"});
  expect_flags_refused({"--warmup", "-1"}, {"--warmup", "-1"});
  expect_flags_refused({"--seed", "9223372036854775808"}, {"--seed", "9223372036854775808"});
  expect_flags_refused({"--timeout", "0"}, {"--timeout", "0"});
  expect_flags_refused({"--threads", "99999999999999999999"}, {"--threads", "99999999999999999999"});
  expect_flags_refused({"-n", "3", "--iterations", "4"}, {"--iterations takes one value, not 2: 3, 4"});
  expect_flags_refused({"--timeout=3", "--timeout=4"}, {"--timeout takes one value, not 2: 3, 4"});
  expect_flags_refused({"--json", "a", "-J", "b"}, {"--json takes one value, not 2: a, b"});
}

TEST(CommandLine, AMissingValueIsRefusedWithWhatIsExpected) {
  for (const std::vector<std::string>& rest : {std::vector<std::string>{}, {"--heads", "3"}, {"-n", "2"}}) {
    const auto missing = [&](const std::string& flag, std::initializer_list<std::string_view> parts) {
      std::vector<std::string> flags = {flag};
      flags.insert(flags.end(), rest.begin(), rest.end());
      expect_flags_refused(flags, parts);
    };
    missing("--seq-len", {"--seq-len: the value is missing; expected: tokens"});
    missing("--mask", {"--mask: the value is missing; expected: full, causal, window:L[:R]"});
    missing("--json", {"--json: the value is missing; expected: FILE (result file"});
    missing("--timeout", {"--timeout: the value is missing; expected: SECONDS"});
    missing("-w", {"-w: the value is missing; expected: N (iterations before them"});
  }
}

TEST(CommandLine, BareFlagsTakeNoOtherValues) {
  expect_flags_refused({"--overwrite=maybe"}, {"--overwrite: \"maybe\" is neither on nor off"});
  expect_flags_refused({"--no-graphs=3"}, {"--no-graphs: \"3\" is neither on nor off"});
  EXPECT_NO_THROW(parse_axes({"--overwrite=on", "--no-graphs=false"}));
}

}  // namespace
}  // namespace cpbench
