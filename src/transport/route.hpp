// Which carrier takes the messages of which two ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "transport/carrier.hpp"

namespace cpbench {

/// Of some carriers, the most preferred that reaches between two ranks takes what they send each other.
class Route {
 public:
  /// Collective. `carriers`: the most preferred first, all queued or none.
  Route(const Communicator& ranks, int device, std::vector<const Carrier*> carriers);

  /// Why it cannot be used: two ranks that nothing reaches between. Empty where there are none. The same on all ranks.
  const std::string& obstacle() const { return obstacle_; }

  /// What carries messages between the first `ranks` ranks: `ipc`, or `ipc+nccl`.
  std::string name(int ranks) const;
  /// The same with what each does: `ipc (copies by the driver) + nccl (NCCL 2.27.3)`.
  std::string describe(int ranks) const;
  /// Blocks that communication between the first `ranks` ranks runs on a GPU for each stream, unless the user says; 0:
  /// none.
  int ctas(int ranks) const;
  /// How many queues of a device an exchange between the first `ranks` ranks may use at once.
  int lanes(int ranks) const;
  /// How many streams of the program of a rank, one of the first `ranks`, may run such blocks beside one attend.
  int streams_with_blocks(const Program& program, int rank, int ranks) const;
  /// Collective over the first ranks of those that it was made for. All that it is given must outlive what it makes.
  std::unique_ptr<Transport> make(const Communicator& ranks, Backend& backend, const TransportOptions& options) const;

 private:
  std::vector<std::uint8_t> used_by(int ranks) const;
  std::vector<std::uint8_t> parts_of(int rank, const std::vector<std::uint8_t>& used) const;

  std::vector<const Carrier*> carriers_;
  std::vector<std::vector<std::uint8_t>> between_;  ///< by rank and rank: an index into carriers_
  std::string obstacle_;
};

}  // namespace cpbench
