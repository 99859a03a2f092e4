// Faults that the checker's self-test plants, and where in a rank's program they act.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "schedule/schedule.hpp"

namespace cpbench {

enum class Fault : std::uint8_t {
  kZeroLastRows,              ///< the last 128 rows of one rank's output are zeroed
  kWrongNeighbour,            ///< one step attends the rank's own block instead of its neighbour's
  kSkippedStep,               ///< one step of one rank attends nothing
  kStaleBuffer,               ///< one received block never reaches its buffer
  kStaleOuterBlock,           ///< one block from another window never reaches its buffer
  kBackwardReusesFirstBlock,  ///< the backward pass reads the first step's K/V in every step
  kMaskOffByOne,              ///< each query sees one key too many
  kWindowIgnored,             ///< the window's left edge is ignored within each block
  kSinkIgnored,               ///< the forward pass leaves the sinks out of the softmax
  kKvHeadsMismatched,         ///< query heads read their neighbour's K/V head
  kGradientUnsummed,          ///< dK and dV are not summed over the ranks that attended a block
  kReplicasUnsummed,          ///< dK and dV are not summed over the replicas of a K/V head
  kSinkGradientUnsummed,      ///< the gradient of the sinks is not summed over ranks
};

std::vector<Fault> all_faults();
std::string_view name_of(Fault fault);  ///< `zero-last-rows`, ...

/// What an executor does differently on one rank. Exchanges keep their messages, so that no fault can make a rank wait.
struct Plant {
  /// The rank's program with what the replacements refer to: tiles, and zeroed buffers after its own.
  Program program;
  /// Compute operations that are run as others, one after the other, or not at all.
  std::map<OpId, std::vector<Op>> instead;
  /// The exchange whose data arrives elsewhere: its buffers keep what they held.
  std::optional<OpId> stale_exchange;

  bool empty() const { return instead.empty() && !stale_exchange; }
};

/// The plant of a fault on a rank; empty where the fault does not touch the rank. Faults of a kernel (mask, window,
/// sink, heads) act on every operation that has what they break; faults of a schedule act at one place of one rank,
/// which is as hard to see as such a fault can be.
Plant plant(Fault fault, const Schedule& schedule, int rank);

/// Whether the schedule has a place for the fault on any rank.
bool applies_to(Fault fault, const Schedule& schedule);

}  // namespace cpbench
