// What ends a job before it is done: SIGHUP, SIGINT and SIGTERM, the time of `--timeout`, and a crash (crash.hpp).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "support/error.hpp"

namespace cpbench {

/// Why a job is ended.
struct Interruption {
  int signal = 0;        ///< 0: its time was over
  double allowed_s = 0;  ///< by `--timeout`; only then

  ExitCode code() const;       ///< 128 and the number of the signal, or kTimeout
  std::string text() const;    ///< `ended by SIGTERM`, `timeout after 5 s`
  std::string reason() const;  ///< of a point in flight
};

/// A thread that waits for what ends the job. Then rank 0 records what was in flight, says so, and aborts the job; any
/// other rank does that if rank 0 has not after a while, for it may be alone with its signal. Signals that were ignored
/// when the process began stay ignored, and those that follow the first change nothing. One at a time.
class Watchdog {
 public:
  /// What writing to a terminal or a file may be waited for; rank 0 may do so twice, and others leave it the time.
  static constexpr std::chrono::seconds kPatience{5};
  /// Records what was in flight, and says where the job was: `in point 2 of 3`. Called on rank 0, by another thread.
  using Record = std::function<std::string(const Interruption&)>;

  /// To be made before MPI is initialised, which can take long. `rank`: as far as it is known without.
  explicit Watchdog(int rank);
  /// Does not return where the job is being ended.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void set_rank(int rank) { rank_ = rank; }

  /// For a thread that ends this process by itself, because of an error or because all is done: from here on signals do
  /// what they do to any process. Does not return where the watchdog is ending it already.
  static void dismiss();

  /// Whether somebody ends this process already, who says why.
  static bool is_ending();
  /// For the handler of a signal by which rank 0 crashes: lets the watchdog record what was in flight and say where the
  /// job was, unless it is ending the job already, and returns when it has, or after a while: a crash may have left
  /// locks locked. The watchdog does nothing more.
  static void record_crash(int signal);

 private:
  friend class Watch;
  using Clock = std::chrono::steady_clock;

  void begin(std::optional<double> seconds, Record record);
  void end();
  void run();
  std::optional<Interruption> wait();
  [[noreturn]] void end_job(const Interruption& why);
  void tell(const Interruption& why);

  std::atomic<int> rank_;
  std::mutex mutex_;
  bool stops_ = false;
  std::optional<Clock::time_point> deadline_;
  double allowed_s_ = 0;
  Record record_;
  std::thread thread_;
};

/// From its making to its end the job may take `seconds`, and whatever ends it asks `record`. One at a time. Its end
/// does not return where the job is being ended.
class Watch {
 public:
  Watch(Watchdog& watchdog, std::optional<double> seconds, Watchdog::Record record = {});
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  Watchdog& watchdog_;
};

}  // namespace cpbench
