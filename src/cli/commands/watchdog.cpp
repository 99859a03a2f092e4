#include "cli/commands/watchdog.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <system_error>
#include <utility>

#include "result/file.hpp"
#include "support/signal_name.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

constexpr std::array kSignals = {SIGHUP, SIGINT, SIGTERM};

// Rank 0 waits twice, and then writes.
constexpr std::chrono::seconds kGrace = 3 * Watchdog::kPatience;

// Of the process, as signals are. They are caught and not blocked: a mask would be inherited by child processes, and a
// debugger never sees what is blocked.
std::atomic<int> first_signal = 0;
std::atomic<bool> is_ended = false;  ///< somebody ends this process, who alone has a word on it
int events = -1;                     ///< an eventfd: what the thread waits at
std::atomic<bool> is_told = false;   ///< of a crash
static_assert(std::atomic<int>::is_always_lock_free, "a signal's handler must not wait for a lock");

void wake() {
  const std::uint64_t one = 1;
  while (::write(events, &one, sizeof(one)) < 0 && errno == EINTR) continue;
}

/// Whether it is the first.
bool note(int signal) {
  int none = 0;
  const bool is_first = first_signal.compare_exchange_strong(none, signal);
  wake();
  return is_first;
}

void note_signal(int signal) {
  const int error = errno;
  note(signal);
  errno = error;
}

bool is_crash(const Interruption& why) { return why.signal != 0 && std::ranges::count(kSignals, why.signal) == 0; }

struct sigaction disposition_of(int signal) {
  struct sigaction disposition = {};
  sigaction(signal, nullptr, &disposition);
  return disposition;
}

void catch_signals() {
  struct sigaction noted = {};
  noted.sa_handler = note_signal;
  noted.sa_flags = SA_RESTART;
  for (const int signal : kSignals) {
    if (disposition_of(signal).sa_handler != SIG_IGN) sigaction(signal, &noted, nullptr);
  }
}

void release_signals() {
  for (const int signal : kSignals) {
    if (disposition_of(signal).sa_handler == note_signal) std::signal(signal, SIG_DFL);
  }
}

/// Returns after a while too, whatever `left` is: poll counts no more than weeks.
void wait_for_event(std::optional<std::chrono::steady_clock::duration> left) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
  const auto wait = left ? std::min(std::chrono::ceil<std::chrono::milliseconds>(*left), kLongest) : kLongest;
  pollfd event = {.fd = events, .events = POLLIN, .revents = 0};
  if (::poll(&event, 1, static_cast<int>(wait.count())) != 1) return;
  std::uint64_t count = 0;
  while (::read(events, &count, sizeof(count)) < 0 && errno == EINTR) continue;
}

[[noreturn]] void wait_for_the_end() {
  for (;;) pause();
}

}  // namespace

ExitCode Interruption::code() const { return signal == 0 ? ExitCode::kTimeout : static_cast<ExitCode>(128 + signal); }

std::string Interruption::text() const {
  if (signal == 0) return fmt::format("timeout after {} s", allowed_s);
  return fmt::format("ended by {}", signal_name(signal));
}

std::string Interruption::reason() const {
  return signal == 0 ? fmt::format("not finished when the {} s of --timeout were over", allowed_s) : text();
}

Watchdog::Watchdog(int rank) : rank_(rank) {
  events = ::eventfd(0, EFD_CLOEXEC);
  if (events < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  catch_signals();
  thread_ = std::thread([this] { run(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  wake();
  thread_.join();
  release_signals();
}

void Watchdog::dismiss() {
  if (is_ended.exchange(true)) wait_for_the_end();
  release_signals();
}

bool Watchdog::is_ending() { return is_ended; }

void Watchdog::record_crash(int signal) {
  if (!note(signal)) return;
  constexpr timespec kMoment = {.tv_sec = 0, .tv_nsec = 10'000'000};
  for (int moments = 0; !is_told && moments < kGrace / std::chrono::milliseconds(10); ++moments) {
    nanosleep(&kMoment, nullptr);
  }
}

void Watchdog::begin(std::optional<double> seconds, Record record) {
  const std::lock_guard lock(mutex_);
  record_ = std::move(record);
  if (!seconds) return;
  constexpr double kForever = 1e8;  // years, and within what clocks can count
  allowed_s_ = *seconds;
  deadline_ = Clock::now() +
              std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(*seconds, kForever)));
  if (rank_ != 0) *deadline_ += kGrace;
  wake();
}

void Watchdog::end() {
  const std::lock_guard lock(mutex_);
  deadline_.reset();
  record_ = {};
}

void Watchdog::run() {
  const std::optional<Interruption> why = wait();
  if (!why || is_ended.exchange(true)) return;
  if (why->signal != 0 && rank_ != 0) std::this_thread::sleep_for(kGrace);  // a deadline has it in it
  if (!is_crash(*why)) end_job(*why);
  const std::lock_guard lock(mutex_);  // for good, as in end_job
  tell(*why);
  is_told = true;
  wait_for_the_end();
}

std::optional<Interruption> Watchdog::wait() {
  for (;;) {
    std::optional<Clock::duration> left;
    {
      const std::lock_guard lock(mutex_);
      if (first_signal != 0) return Interruption{.signal = first_signal};
      if (stops_) return std::nullopt;
      if (deadline_) left = *deadline_ - Clock::now();
      if (left && *left <= Clock::duration::zero()) return Interruption{.allowed_s = allowed_s_};
    }
    wait_for_event(left);
  }
}

void Watchdog::end_job(const Interruption& why) {
  // Whatever a terminal or a file system holds up.
  std::thread([code = why.code()] {
    std::this_thread::sleep_for(kGrace);
    abort_job(code);
  }).detach();
  const std::lock_guard lock(mutex_);  // for good: what `record_` refers to must stay
  tell(why);
  abort_job(why.code());
}

/// With the lock.
void Watchdog::tell(const Interruption& why) {
  const int rank = rank_;
  std::string text = why.text();
  try {
    if (rank == 0 && record_) text += record_(why);
  } catch (const std::exception& error) {
    text += fmt::format("; {}", error.what());
  }
  finish_writing(kPatience);
  fmt::print(stderr, "cpbench: {}{}\n", rank == 0 ? "" : fmt::format("rank {}: ", rank), text);
}

Watch::Watch(Watchdog& watchdog, std::optional<double> seconds, Watchdog::Record record) : watchdog_(watchdog) {
  watchdog_.begin(seconds, std::move(record));
}

Watch::~Watch() { watchdog_.end(); }

}  // namespace cpbench
