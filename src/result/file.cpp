#include "result/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "support/error.hpp"
#include "support/refuse_write.hpp"

namespace cpbench {
namespace {

constexpr mode_t kMode = 0666;  // less the user's umask

bool exists(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

/// In the directory of `path`, because only there a rename is atomic, and distinct for each process of a node.
std::string temporary_beside(const std::string& path) { return fmt::format("{}.{}.part", path, ::getpid()); }

/// Writes all of `text`; returns 0 or errno.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Returns 0 or errno. Some file systems cannot sync; their data is as safe as they can make it.
int sync(int descriptor) {
  if (::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP) return 0;
  return errno;
}

/// Makes the names in the directory of `path` outlive a power cut; returns 0 or errno. One that may be written to but
/// not read cannot be synced.
int sync_directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int descriptor = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno == EACCES ? 0 : errno;
  const int error = sync(descriptor);
  ::close(descriptor);
  return error;
}

/// Held while a file is being written that has a temporary one.
std::timed_mutex writing;

/// The name of that file, for whoever ends the process and cannot wait for `writing`.
class TemporaryName {
 public:
  void set(const std::string& name) {
    const std::lock_guard lock(mutex_);
    name_ = name;
  }
  void unlink() {
    const std::lock_guard lock(mutex_);
    if (!name_.empty()) ::unlink(name_.c_str());
  }

 private:
  std::mutex mutex_;
  std::string name_;
} temporary_name;

/// While one lives, a temporary file may exist. What ends the process waits for it: a thread by finish_writing, and a
/// signal that nobody catches, as in commands that run nothing, is held back from this thread.
class Writing {
 public:
  explicit Writing(const std::string& temporary) : lock_(writing) {
    temporary_name.set(temporary);
    sigset_t ending;
    sigemptyset(&ending);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&ending, signal);
    pthread_sigmask(SIG_BLOCK, &ending, &before_);
  }
  ~Writing() {
    temporary_name.set("");
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  std::lock_guard<std::timed_mutex> lock_;
  sigset_t before_{};
};

/// Creates the temporary file with `text` in it; returns 0 or errno and then leaves no file.
int write_temporary(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (descriptor < 0) return errno;
  int error = write_all(descriptor, text);
  if (error == 0) error = sync(descriptor);
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (error != 0) ::unlink(path.c_str());
  return error;
}

}  // namespace

void check_writable(const std::string& path, bool overwrite) {
  if (path.empty()) refuse("the path of an output file is empty; name a file");
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) {
    // A rename would replace a device or a pipe by a file.
    if (!S_ISREG(status.st_mode)) refuse("cannot write \"{}\": it exists and is not a regular file", path);
    if (!overwrite) refuse("\"{}\" exists already; pass --overwrite to replace it, or name another file", path);
  } else if (exists(path)) {
    refuse("cannot write \"{}\": it is a link to a file that does not exist; name another file", path);
  }
  // To try is the only test that knows permissions, read-only mounts, quotas and the length of names.
  const std::string probe = temporary_beside(path);
  const Writing until_it_is_gone(probe);
  if (const int error = write_temporary(probe, ""); error != 0) refuse_write(path, error);
  ::unlink(probe.c_str());
}

void write_atomically(const std::string& path, std::string_view text, bool overwrite) {
  const std::string temporary = temporary_beside(path);
  const Writing until_it_is_renamed(temporary);
  if (const int error = write_temporary(temporary, text); error != 0) refuse_write(path, error);
  if (!overwrite && exists(path)) {
    refuse("\"{}\" appeared during the run and is left as it is; the results are in \"{}\"", path, temporary);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    refuse("cannot rename \"{}\", which holds the results, to \"{}\": {}", temporary, path, std::strerror(errno));
  }
  if (const int error = sync_directory_of(path); error != 0) refuse_write(path, error);
}

void finish_writing(std::chrono::seconds patience) {
  std::unique_lock lock(writing, patience);
  if (!lock) return temporary_name.unlink();
  lock.release();  // it stays locked
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    refuse("cannot remove \"{}\", which is to be replaced: {}", path, std::strerror(errno));
  }
}

std::string lines_path(const std::string& result_path) {
  std::filesystem::path path(result_path);
  if (path.extension() == ".json" || path.extension() == ".jsonl") return path.replace_extension(".jsonl").string();
  return result_path + ".jsonl";
}

LineWriter::LineWriter(std::string path, bool overwrite, const std::vector<std::string>& lines)
    : path_(std::move(path)) {
  check_writable(path_, overwrite);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_atomically(path_, text, overwrite);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor_ < 0) refuse_write(path_, errno);
}

LineWriter::~LineWriter() { ::close(descriptor_); }

void LineWriter::append(std::string_view line) {
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  int error = write_all(descriptor_, std::string(line) + "\n");
  if (error == 0) error = sync(descriptor_);
  if (error == 0) return;
  if (::ftruncate(descriptor_, before) != 0) error = errno;
  refuse_write(path_, error);
}

}  // namespace cpbench
