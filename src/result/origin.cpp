#include "result/origin.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "result/tool.hpp"

namespace cpbench {
namespace {

/// `2 x AMD EPYC, 2 x NVIDIA H200`
std::string devices_of(const std::vector<RankInfo>& ranks) {
  std::map<std::string, int> counts;
  for (const RankInfo& rank : ranks) ++counts[rank.device];
  std::vector<std::string> parts;
  for (const auto& [device, count] : counts) parts.push_back(fmt::format("{} x {}", count, device));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The distinct texts that ranks have.
std::string distinct_of(const std::vector<RankInfo>& ranks, std::string RankInfo::*which) {
  std::set<std::string> texts;
  for (const RankInfo& rank : ranks) texts.insert(rank.*which);
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Without those that differ from job to job and change nothing; hosts are named elsewhere.
std::string variables_of(const Environment& environment) {
  constexpr std::array<std::string_view, 3> kOfTheJob = {"CPBENCH_CONFIG_DIR", "SLURM_JOB_ID", "SLURM_JOB_NODELIST"};
  std::vector<std::string> texts;
  for (const auto& [name, value] : environment.variables) {
    if (std::ranges::count(kOfTheJob, name) == 0) texts.push_back(fmt::format("{}={}", name, value));
  }
  return fmt::format("{}", fmt::join(texts, " "));
}

}  // namespace

Origin origin_of(const Header& header) {
  const Tool& tool = header.tool;
  return {.tool = revision_text(tool.version, tool.git, tool.dirty.value_or(false)),
          .build = fmt::format("{} {} {}", tool.build.type, tool.build.compiler, tool.build.flags),
          .mpi = header.environment.mpi.value_or(""),
          .devices = devices_of(header.ranks),
          .hosts = distinct_of(header.ranks, &RankInfo::host),
          .cpus = distinct_of(header.ranks, &RankInfo::cpus),
          .variables = variables_of(header.environment)};
}

}  // namespace cpbench
