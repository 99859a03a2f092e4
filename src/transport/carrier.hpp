// What can carry messages: transports by name, each for the platforms that it serves.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "support/registry.hpp"
#include "transport/communicator.hpp"
#include "transport/transport.hpp"

namespace cpbench {

struct TransportOptions {
  int comm_ctas = 0;  ///< blocks that communication may occupy on a GPU; 0: the library's own choice
};

/// `2.27.3`.
struct LibraryVersions {
  std::string header;   ///< that the program was built with
  std::string library;  ///< that it runs with
};

struct Carrier {
  std::string name;      ///< what `--transport` calls it
  std::string platform;  ///< whose memory it moves
  int preference;        ///< the highest of those that reach a rank carries its messages
  /// By rank: why it cannot carry messages to it; empty where it can. `device`: the rank's own, as its platform counts.
  /// Collective; two ranks find the same of each other.
  std::function<std::vector<std::string>(const Communicator& ranks, int device)> obstacles;
  /// Collective. All that it is given must outlive what it makes.
  std::function<std::unique_ptr<Transport>(const Communicator& ranks, Backend& backend,
                                           const TransportOptions& options)>
      make;
  bool is_queued;  ///< see Transport
  /// How many queues of a device one exchange may use at once.
  int lanes = 1;
  /// Blocks that it runs on a GPU beside kernels that compute, unless the user says; 0: it runs none.
  int ctas = 0;
  /// What it does, for the table's header; empty where the name says all.
  std::function<std::string()> describe = [] { return std::string(); };
  /// Of NCCL, where that is what carries.
  std::function<std::optional<LibraryVersions>()> nccl = [] { return std::nullopt; };
};

/// Of a carrier that reaches all ranks.
std::vector<std::string> no_obstacles(const Communicator& ranks, int device);

/// A transport registers itself from its own file, as kernels do.
using RegisterCarrier = Register<Carrier>;
/// Those of this build that serve a platform, the most preferred first.
std::vector<const Carrier*> carriers_for(const std::string& platform);

}  // namespace cpbench
