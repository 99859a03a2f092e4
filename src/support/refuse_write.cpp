#include "support/refuse_write.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "support/error.hpp"

namespace cpbench {

int write_error() { return errno == 0 ? EIO : errno; }

void refuse_write(const std::filesystem::path& path, int error) {
  const std::filesystem::path parent = path.parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  struct stat status;
  const char* advice = "choose another file";
  if (error == EACCES || error == EPERM || error == EROFS || error == ENOENT) {  // the last one in /proc, for one
    advice = "choose a directory that you may write to";
  }
  if (error == ENOENT && ::lstat(directory.c_str(), &status) != 0) {
    advice = "its directory must exist: create it first";
  }
  if (error == ENOSPC || error == EDQUOT) advice = "free some space";
  refuse("cannot write \"{}\": {} (directory \"{}\"); {}", path.string(), std::strerror(error), directory, advice);
}

}  // namespace cpbench
