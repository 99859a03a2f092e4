// Result files on disk: nothing finished is lost, and nothing is overwritten silently.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

/// Throws a usage error unless `path` can be written: its directory must exist (parents are never created) and take new
/// files, and the path must be new, or a regular file with `overwrite`. Leaves nothing behind.
void check_writable(const std::string& path, bool overwrite);

/// Writes `text` whole or not at all: to a temporary file beside `path`, which is synced and then renamed, and so is
/// the directory synced that has the new name: when it returns, a power cut loses nothing. Throws an Error that names
/// the path; where `path` has meanwhile appeared and `overwrite` is off, the temporary file stays and the message names
/// it.
void write_atomically(const std::string& path, std::string_view text, bool overwrite);

/// For a thread that is about to end the process: waits for another one to have done with its temporary file, and lets
/// none begin one from here on. What takes longer than `patience` loses it.
void finish_writing(std::chrono::seconds patience);

/// Removes a file, if there is one. Throws a usage error where that is not possible.
void remove_file(const std::string& path);

/// `out.jsonl` for `out.json`, and for itself; `.jsonl` is appended to any other name.
std::string lines_path(const std::string& result_path);

/// A file of lines, each in the file as soon as `append` returns: what is left of a job that was killed.
class LineWriter {
 public:
  /// Creates the file, or with `overwrite` replaces it, whole or not at all, by one of these lines. Throws a usage
  /// error as check_writable does.
  LineWriter(std::string path, bool overwrite, const std::vector<std::string>& lines = {});
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// Adds one line and syncs it. If it cannot be written (a full disk), what was written of it is cut off again, so
  /// that later lines may succeed, and an Error is thrown.
  void append(std::string_view line);

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace cpbench
