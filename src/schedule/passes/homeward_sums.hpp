// Sums on their way from rank to rank, each of which adds to them what it has.
#pragma once

#include <span>

#include "schedule/passes/prune_job.hpp"

namespace cpbench {

/// From a rank that is followed by one which has nothing to add they go home at once, to whoever reads them in the end,
/// and the next one that has something begins a new sum. So what waits is summed up in one place, and does not lie on
/// some rank together with the sums of many others.
class HomewardSums {
 public:
  explicit HomewardSums(const PruneJob& job) : job_(job) {}

  bool is_sum(const Edge& edge) const;
  /// What is missing in `add.from` is missing in `add.to`; and so is `add.from`, where it comes from another rank and
  /// there is nothing to add it to. Then, true: there is nothing to be done here.
  static bool passes_by(PruneRank& rank, const Add& add, const Label& label);
  /// What is missing in a sum that is passed on is missing in what arrives.
  void pass_on_legs(const Edge& edge) const;
  /// The sum is read by operation `id`, or sent elsewhere than to be added to: what is missing in it comes here. It is
  /// summed up as it comes, so that of all parts but one none is kept, and added to the rest before the operation. What
  /// is inserted here stays, needed or not: sums of gradients always are.
  void bring_home(PruneRank& home, BufferId sum, std::size_t id) const;

 private:
  /// Adds a message to an exchange. Returns where it arrives.
  Region send_home(PruneRank& home, BufferId sum, const Leg& leg) const;
  /// Adds to `parts` what comes, after the attend during which it comes, or where there is none before more comes.
  void add_as_they_come(PruneRank& home, BufferId sum, const Region& parts, std::span<const Leg> legs,
                        std::size_t end) const;

  const PruneJob& job_;
};

}  // namespace cpbench
