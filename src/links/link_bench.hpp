// Measures the links between the ranks of a job, by the executor and the transport that algorithms run on.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "links/link_program.hpp"
#include "links/link_report.hpp"
#include "links/payload.hpp"
#include "problem/problem.hpp"
#include "run/buffer_set.hpp"
#include "run/executor.hpp"
#include "transport/communicator.hpp"
#include "transport/emulated_link.hpp"
#include "transport/transport.hpp"

namespace cpbench {

/// This rank's part in all patterns (pattern.hpp). Two ranks at least, and each function once, in their order. Where a
/// collective one throws, memory of this rank may still be in use by others: the job must end before the bench is
/// destroyed.
class LinkBench {
 public:
  /// Both must outlive it.
  LinkBench(const Communicator& ranks, const LinkOptions& options);
  LinkBench(const LinkBench&) = delete;
  LinkBench& operator=(const LinkBench&) = delete;

  /// Memory for messages, which one rank alone may lack. `backend` must outlive the bench.
  void allocate(Backend& backend);

  using MakeTransport = std::function<std::unique_ptr<Transport>()>;
  /// Collective. `make_transport`: of the ranks and the backend.
  void prepare(const MakeTransport& make_transport);

  /// Collective, and the same on all ranks. All patterns take turns, `options.repetitions` times after once to warm up,
  /// so that what disturbs the machine for a while meets few repetitions of each; fewer, but 3, where that takes longer
  /// than half a minute. Every repetition begins at a barrier and clears what it receives before, and what has arrived
  /// is compared after it, byte by byte.
  LinkReport measure();

 private:
  double run(std::size_t pattern);
  std::vector<std::vector<double>> sample();
  std::span<std::byte> place_of(const Arrival& arrival) const;
  void check(const Arrival& arrival);
  std::vector<Corruption> corruptions() const;

  const Communicator& ranks_;
  const LinkOptions& options_;
  const std::vector<LinkPattern> patterns_;
  const Problem problem_;
  LinkPayload payload_;
  std::deque<LinkProgram> programs_;  ///< by pattern; all have the same buffers
  Backend* backend_ = nullptr;
  std::optional<BufferSet> buffers_;
  std::byte* received_ = nullptr;
  std::unique_ptr<Transport> carried_;
  std::optional<EmulatedLink> emulated_;                             ///< of messages that the host moves
  std::deque<Executor> executors_;                                   ///< by pattern
  std::vector<std::byte> copy_;                                      ///< of what a device has received
  std::map<std::pair<Pair, std::int64_t>, Corruption> corruptions_;  ///< of what this rank has received
};

}  // namespace cpbench
