#include "cli/commands/crash.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/commands/watchdog.hpp"
#include "run/computed_operation.hpp"
#include "support/alternate_stack.hpp"
#include "support/doing.hpp"
#include "support/signal_name.hpp"

// All but report_crashes is called by a signal's handler: no memory is allocated, and no lock is waited for.
namespace cpbench {
namespace {

constexpr std::array kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

std::array<struct sigaction, kCrashes.size()> former = {};
std::array<char, 256> host = {};
int own_rank = 0;
std::atomic<bool> has_crashed = false;

/// A line that is put together in a buffer of its own; what it has no room for is left out.
class CrashLine {
 public:
  CrashLine& operator<<(std::string_view text) {
    const std::size_t room = buffer_.size() - size_;
    std::ranges::copy(text.substr(0, room), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += std::min(text.size(), room);
    return *this;
  }
  CrashLine& number(std::uint64_t number, int base = 10) {
    std::array<char, 24> digits{};
    const char* const end = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
    return *this << std::string_view(digits.data(), end);
  }
  void write() const {
    for (std::size_t done = 0; done < size_;) {
      const ssize_t written = ::write(STDERR_FILENO, buffer_.data() + done, size_ - done);
      if (written < 0 && errno != EINTR) return;
      done += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    }
  }

 private:
  std::array<char, 5000> buffer_;
  std::size_t size_ = 0;
};

/// Whether an instruction of this process did it, which does it again when the handler returns.
bool is_of_an_instruction(const siginfo_t& info) { return info.si_code > 0; }

void say(int signal, const siginfo_t& info) {
  CrashLine line;
  (line << "cpbench: rank ").number(static_cast<std::uint64_t>(own_rank))
      << " on " << host.data() << ": crashed with " << signal_name(signal);
  if (is_of_an_instruction(info)) {
    (line << " (address 0x").number(reinterpret_cast<std::uintptr_t>(info.si_addr), 16) << ")";
  }
  line << " while " << doing();
  if (const Label* const label = computed_operation) {
    line << ", in operation '" << label->text;
    if (label->major >= 0) (line << " ").number(static_cast<std::uint64_t>(label->major));
    if (label->minor >= 0) (line << ".").number(static_cast<std::uint64_t>(label->minor));
    line << "'";
  }
  line << "\n";
  line.write();
}

void handle(int signal, siginfo_t* info, void* /*context*/) {
  // Of several threads that crash the first has the word, and ends the process.
  if (has_crashed.exchange(true)) {
    for (;;) pause();
  }
  if (!Watchdog::is_ending()) {
    say(signal, *info);
    if (own_rank == 0) Watchdog::record_crash(signal);
  }
  const auto place = std::ranges::find(kCrashes, signal) - kCrashes.begin();
  sigaction(signal, &former[static_cast<std::size_t>(place)], nullptr);
  if (!is_of_an_instruction(*info)) raise(signal);  // comes when this returns
}

}  // namespace

void report_crashes(int rank) {
  own_rank = rank;
  gethostname(host.data(), host.size() - 1);
  use_alternate_stack();
  struct sigaction handled = {};
  handled.sa_sigaction = handle;
  handled.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t i = 0; i < kCrashes.size(); ++i) sigaction(kCrashes[i], &handled, &former[i]);
}

}  // namespace cpbench
