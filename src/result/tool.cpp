#include "result/tool.hpp"

#include <fmt/format.h>

#include "result/version.hpp"  // written by every build, see write_version.cmake

namespace cpbench {

Tool this_tool() {
  Tool tool;
  tool.version = version::kVersion;
  if (*version::kGit != '\0') {
    tool.git = version::kGit;
    tool.dirty = version::kDirty;
  }
  tool.build = {version::kBuildType, version::kCompiler, version::kFlags};
  return tool;
}

std::string revision_text(std::string_view version, const std::optional<std::string>& git, bool dirty) {
  return fmt::format("{} (git {}{})", version, git.value_or("unknown"), dirty ? ", dirty" : "");
}

}  // namespace cpbench
