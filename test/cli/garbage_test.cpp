// Whatever is typed: it is understood or refused as a usage error, and nothing else happens.
#include <gtest/gtest.h>

#include <random>

#include "cli/config/config_file.hpp"
#include "support/error.hpp"
#include "test_command_line.hpp"

namespace cpbench {
namespace {

constexpr int kTrials = 3000;

class Garbage {
 public:
  explicit Garbage(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }
  template <typename T>
  const T& one_of(const std::vector<T>& values) {
    return values[below(values.size())];
  }

  // A known flag, one with a character changed, or noise.
  std::string flag(const std::vector<std::string>& known) {
    std::string word = one_of(known);
    if (below(4) == 0 && !word.empty()) word[below(word.size())] = static_cast<char>(below(256));
    if (below(4) == 0) word += "=" + value();
    return word;
  }

  std::string value() {
    static const std::vector<std::string> kValues = {"",
                                                     "1",
                                                     "4",
                                                     "8",
                                                     "-1",
                                                     "0",
                                                     "99999999999999999999",
                                                     "1e3",
                                                     "2,4",
                                                     "ring",
                                                     "hybrid",
                                                     "full",
                                                     "on",
                                                     "window:3:0",
                                                     "window:",
                                                     "3,,4",
                                                     "pile",
                                                     "9223372036854775807",
                                                     "0.5",
                                                     "[1,2]",
                                                     "{}",
                                                     "--",
                                                     "-",
                                                     "nan",
                                                     "zigzag",
                                                     "bf16",
                                                     "a2a+p2p",
                                                     "megatron_cp_algo",
                                                     "%s%n",
                                                     "\xff",
                                                     "fwd",
                                                     "none",
                                                     "/tmp"};
    if (below(5) > 0) return one_of(kValues);
    std::string noise(below(12), ' ');
    for (char& c : noise) c = static_cast<char>(below(256));
    return noise;
  }

 private:
  std::mt19937 random_;
};

std::vector<std::string> known_flags() {
  std::vector<std::string> flags = foreign_flag_names();
  for (const AxisInfo& axis : all_axes()) flags.push_back(axis.flag());
  flags.insert(flags.end(), {"--iterations", "--seed", "--timeout", "--threads", "-n", "-J", "--length-scale"});
  return flags;
}

// Returns whether the line was understood.
bool survives(const std::vector<std::string>& line) {
  try {
    TestCommandLine parsed;
    const auto native = translate_foreign(line, all_flags(parsed.app));
    if (parsed.parse(native.arguments)) return true;
    const auto points = expand({}, parsed.axes.values());
    resolve_all(std::span(points).first(std::min<std::size_t>(points.size(), 3)), {.world_size = 8});
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_STRNE(error.what(), "");
    return false;
  }
}

TEST(Garbage, CommandLinesAreUnderstoodOrRefused) {
  Garbage garbage(20240607);
  const auto flags = known_flags();
  int understood = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<std::string> line = {"run"};
    for (std::size_t i = garbage.below(5); i > 0; --i) {
      line.push_back(garbage.flag(flags));
      if (garbage.below(4) > 0) line.push_back(garbage.value());
    }
    understood += survives(line) ? 1 : 0;
  }
  EXPECT_GT(understood, 0);
  EXPECT_LT(understood, kTrials);
}

TEST(Garbage, ConfigFilesAreUnderstoodOrRefused) {
  const std::string valid =
      R"({"schema_version": 1, "length_scale": 0.5, "defaults": {"seq_len": 1000, "docs": [600, 400]},
          "matrix": {"algo": ["ring", "hybrid"], "cp_size": [2, 4]}, "include": [{"sink": true}],
          "exclude": [{"algo": "ring", "cp_size": 2}]})";
  Garbage garbage(7);
  int understood = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::string text = valid;
    for (std::size_t i = 1 + garbage.below(3); i > 0; --i) {
      const std::size_t at = garbage.below(text.size());
      static const std::string kCharacters =
          "0123456789{}[]\",:-. \xff"
          "abctruefals";
      text[at] = kCharacters[garbage.below(kCharacters.size())];
    }
    try {
      const auto points = expand(parse_config(text, "garbage.json"), {});
      resolve_all(points, {.world_size = 4});
      ++understood;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
    }
  }
  EXPECT_GT(understood, 0);
  EXPECT_LT(understood, kTrials);
}

}  // namespace
}  // namespace cpbench
