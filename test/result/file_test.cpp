#include "result/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "expect_refused.hpp"
#include "temporary_file.hpp"

namespace {

/// What was synced, in order, each with the names that its directory had by then if it is one.
std::vector<std::pair<std::filesystem::path, std::set<std::string>>> synced;

}  // namespace

/// In place of the C library's.
extern "C" int fsync(int descriptor) {
  namespace fs = std::filesystem;
  auto& [path, names] =
      synced.emplace_back(fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor)), std::set<std::string>());
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename());
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace cpbench {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A directory of its own for each test.
class FileTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_ / name; }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory_)) found.insert(entry.path().filename());
    return found;
  }

  const TemporaryDirectory temporary_;
  const fs::path& directory_ = temporary_.path();
};

TEST_F(FileTest, CheckLeavesNothingBehind) {
  check_writable(path("out.json"), false);
  EXPECT_TRUE(names().empty());
}

TEST_F(FileTest, RefusesWhatCannotBeWritten) {
  expect_refused([&] { check_writable("", false); }, {"empty"});
  expect_refused([&] { check_writable(path("no/such/out.json"), true); }, {"no/such/out.json", "create it first"});
  EXPECT_FALSE(fs::exists(path("no")));
  expect_refused([&] { check_writable("/proc/out.json", true); }, {"/proc/out.json", "choose a directory"});
  expect_refused([&] { check_writable(directory_, true); }, {directory_.string(), "not a regular file"});
  expect_refused([&] { check_writable("/dev/null", true); }, {"/dev/null", "not a regular file"});
  fs::create_symlink("nowhere/x.json", path("link"));
  expect_refused([&] { check_writable(path("link"), true); }, {"link", "a file that does not exist"});
  std::ofstream(path("file")) << "text";
  expect_refused([&] { check_writable(path("file/out.json"), false); }, {"file/out.json", "Not a directory"});
  expect_refused([&] { check_writable(path(std::string(300, 'x')), false); }, {"File name too long"});
}

TEST_F(FileTest, RefusesADirectoryWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  fs::permissions(directory_, fs::perms::owner_read | fs::perms::owner_exec);
  expect_refused([&] { check_writable(path("out.json"), false); }, {"out.json", "Permission denied", "may write to"});
  fs::permissions(directory_, fs::perms::owner_all);
}

TEST_F(FileTest, RefusesAnExistingFileUnlessAskedToOverwrite) {
  std::ofstream(path("out.json")) << "old";
  expect_refused([&] { check_writable(path("out.json"), false); }, {"out.json", "--overwrite"});
  check_writable(path("out.json"), true);
  EXPECT_EQ(content_of(path("out.json")), "old");
}

TEST_F(FileTest, ReplacesByRename) {
  write_atomically(path("out.json"), "first", false);
  fs::create_hard_link(path("out.json"), path("witness"));
  write_atomically(path("out.json"), "second", true);
  EXPECT_EQ(content_of(path("out.json")), "second");
  // Written in place, the old contents would be gone under every name.
  EXPECT_EQ(content_of(path("witness")), "first");
  EXPECT_EQ(names(), (std::set<std::string>{"out.json", "witness"}));
}

TEST_F(FileTest, SyncsTheFileAndThenTheDirectoryThatNamesIt) {
  synced.clear();
  write_atomically(path("out.json"), "text", false);
  ASSERT_EQ(synced.size(), 2u);
  EXPECT_TRUE(synced[0].first.filename().string().starts_with("out.json."));
  EXPECT_EQ(synced[1], std::pair(fs::canonical(directory_), std::set<std::string>{"out.json"}));
}

TEST_F(FileTest, SyncsTheDirectoryOfLinesBeforeTheFirst) {
  synced.clear();
  const LineWriter lines(path("out.jsonl"), false);
  ASSERT_FALSE(synced.empty());
  EXPECT_EQ(synced.back(), std::pair(fs::canonical(directory_), std::set<std::string>{"out.jsonl"}));
}

TEST_F(FileTest, WritesWhereADirectoryMayNotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read anything";
  fs::permissions(directory_, fs::perms::owner_write | fs::perms::owner_exec);
  write_atomically(path("out.json"), "text", false);
  fs::permissions(directory_, fs::perms::owner_all);
  EXPECT_EQ(content_of(path("out.json")), "text");
}

TEST_F(FileTest, KeepsBothWhereAFileAppearedMeanwhile) {
  check_writable(path("out.json"), false);
  std::ofstream(path("out.json")) << "of another job";
  std::string kept;
  try {
    write_atomically(path("out.json"), "mine", false);
  } catch (const Error& error) {
    for (const std::string& name : names()) {
      if (name != "out.json" && std::string(error.what()).find(name) != std::string::npos) kept = path(name);
    }
  }
  EXPECT_EQ(content_of(path("out.json")), "of another job");
  EXPECT_EQ(content_of(kept), "mine");
}

TEST_F(FileTest, NamesTheLinesBesideTheResult) {
  EXPECT_EQ(lines_path("a/out.json"), "a/out.jsonl");
  EXPECT_EQ(lines_path("a/out.jsonl"), "a/out.jsonl");
  EXPECT_EQ(lines_path("a.b/out"), "a.b/out.jsonl");
  EXPECT_EQ(lines_path("out.txt"), "out.txt.jsonl");
}

TEST_F(FileTest, LinesAreInTheFileAtOnce) {
  LineWriter lines(path("out.jsonl"), false);
  lines.append("header");
  EXPECT_EQ(content_of(path("out.jsonl")), "header\n");
  lines.append("point");
  EXPECT_EQ(content_of(path("out.jsonl")), "header\npoint\n");
}

TEST_F(FileTest, LinesOfAnEarlierRunAreKeptUnlessAskedToOverwrite) {
  std::ofstream(path("out.jsonl")) << "finished points\n";
  expect_refused([&] { LineWriter(path("out.jsonl"), false); }, {"out.jsonl", "--overwrite"});
  EXPECT_EQ(content_of(path("out.jsonl")), "finished points\n");
  LineWriter(path("out.jsonl"), true).append("new");
  EXPECT_EQ(content_of(path("out.jsonl")), "new\n");
}

/// Limits the size of files that this process may write, as a full disk does, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(FileTest, ALineThatDoesNotFitLeavesNoHalfOfItself) {
  LineWriter lines(path("out.jsonl"), false);
  lines.append("first");
  {
    const FileSizeLimit limit(20);
    expect_refused([&] { lines.append("a line of more than twenty bytes"); }, {"out.jsonl", "File too large"});
  }
  lines.append("last");
  EXPECT_EQ(content_of(path("out.jsonl")), "first\nlast\n");
}

TEST_F(FileTest, AResultThatDoesNotFitLeavesTheOldOne) {
  write_atomically(path("out.json"), "old", false);
  {
    const FileSizeLimit limit(20);
    expect_refused([&] { write_atomically(path("out.json"), std::string(100, 'x'), true); }, {"out.json"});
  }
  EXPECT_EQ(content_of(path("out.json")), "old");
  EXPECT_EQ(names(), std::set<std::string>{"out.json"});
}

/// Long enough that a process which does nothing but write it is hardly ever found between two files.
const std::string kLongText(4 << 20, 'x');

/// A process that does `work` and nothing after it. Returns its number.
pid_t start_process(const std::function<void()>& work) {
  const pid_t process = ::fork();
  if (process != 0) return process;
  work();
  ::_exit(0);
}

int status_of(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}

void wait_for_file(const std::string& path) {
  while (!fs::exists(path)) std::this_thread::yield();
}

TEST_F(FileTest, ASignalThatEndsTheProcessWaitsForTheFile) {
  for (int round = 0; round < 5; ++round) {
    const pid_t writer = start_process([&] {
      for (;;) write_atomically(path("out.json"), kLongText, true);
    });
    wait_for_file(path("out.json"));
    ::kill(writer, SIGTERM);
    const int status = status_of(writer);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    EXPECT_EQ(names(), std::set<std::string>{"out.json"});
    EXPECT_EQ(content_of(path("out.json")).size(), kLongText.size());
    fs::remove(path("out.json"));
  }
}

TEST_F(FileTest, AThreadThatEndsTheProcessWaitsForTheFile) {
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(status_of(start_process([&] {
                std::thread([&] {
                  for (;;) write_atomically(path("out.json"), kLongText, true);
                }).detach();
                wait_for_file(path("out.json"));
                finish_writing(std::chrono::seconds(60));
              })),
              0);
    EXPECT_EQ(names(), std::set<std::string>{"out.json"});
    EXPECT_EQ(content_of(path("out.json")).size(), kLongText.size());
    fs::remove(path("out.json"));
  }
}

TEST_F(FileTest, AFileThatTakesTooLongLosesItsTemporaryOne) {
  EXPECT_EQ(status_of(start_process([&] {
              const std::string temporary = path("out.json." + std::to_string(::getpid()) + ".part");
              ::mkfifo(temporary.c_str(), 0600);  // holds less than the text, and is never read
              pollfd reader = {.fd = ::open(temporary.c_str(), O_RDONLY | O_NONBLOCK), .events = POLLIN, .revents = 0};
              std::thread([&] { write_atomically(path("out.json"), kLongText, true); }).detach();
              ::poll(&reader, 1, -1);
              finish_writing(std::chrono::seconds(0));
            })),
            0);
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace cpbench
