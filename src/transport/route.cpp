#include "transport/route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "schedule/overlap.hpp"
#include "transport/routed_transport.hpp"

namespace cpbench {

Route::Route(const Communicator& ranks, int device, std::vector<const Carrier*> carriers)
    : carriers_(std::move(carriers)) {
  std::vector<std::vector<std::string>> obstacles;
  for (const Carrier* carrier : carriers_) obstacles.push_back(carrier->obstacles(ranks, device));
  std::vector<std::uint8_t> own;  // its first carrier to each rank; where there is none, one beyond the last
  std::string complaint;
  for (std::size_t peer = 0; peer < static_cast<std::size_t>(ranks.size()); ++peer) {
    const auto reaches = [&](const std::vector<std::string>& of) { return of[peer].empty(); };
    own.push_back(static_cast<std::uint8_t>(std::ranges::find_if(obstacles, reaches) - obstacles.begin()));
    if (!complaint.empty() || std::ranges::any_of(obstacles, reaches)) continue;
    complaint = fmt::format("ranks {} and {}: {}", ranks.rank(), peer, obstacles.back()[peer]);
  }
  between_ = ranks.allgatherv(own);
  obstacle_ = ranks.first_nonempty(complaint);
}

/// Indices into carriers_, ascending. What a rank sends itself counts where there is nobody else.
std::vector<std::uint8_t> Route::used_by(int ranks) const {
  std::set<std::uint8_t> used;
  for (std::size_t a = 0; a < static_cast<std::size_t>(ranks); ++a) {
    for (std::size_t b = 0; b < a; ++b) used.insert(between_[a][b]);
  }
  if (used.empty()) used.insert(between_[0][0]);
  return {used.begin(), used.end()};
}

std::string Route::name(int ranks) const {
  std::string text;
  for (const std::uint8_t i : used_by(ranks)) text += (text.empty() ? "" : "+") + carriers_[i]->name;
  return text;
}

std::string Route::describe(int ranks) const {
  std::string text;
  for (const std::uint8_t i : used_by(ranks)) {
    const std::string way = carriers_[i]->describe();
    text += (text.empty() ? "" : " + ") + carriers_[i]->name + (way.empty() ? "" : " (" + way + ")");
  }
  return text;
}

int Route::ctas(int ranks) const {
  int most = 0;
  for (const std::uint8_t i : used_by(ranks)) most = std::max(most, carriers_[i]->ctas);
  return most;
}

int Route::lanes(int ranks) const {
  int all = 0;
  for (const std::uint8_t i : used_by(ranks)) all += carriers_[i]->lanes;
  return all;
}

/// Which of the used carriers takes a rank's messages, by peer. What the rank sends itself is no reason to use one
/// more: where its own entry names a carrier that is not used, the first of the used ones takes it.
std::vector<std::uint8_t> Route::parts_of(int rank, const std::vector<std::uint8_t>& used) const {
  std::vector<std::uint8_t> parts;
  for (const std::uint8_t i : between_[static_cast<std::size_t>(rank)]) {
    const auto part = std::ranges::find(used, i);
    parts.push_back(static_cast<std::uint8_t>(part == used.end() ? 0 : part - used.begin()));
  }
  return parts;
}

int Route::streams_with_blocks(const Program& program, int rank, int ranks) const {
  const std::vector<std::uint8_t> used = used_by(ranks), parts = parts_of(rank, used);
  const auto runs_blocks = [&](const Transfer& transfer) {
    return carriers_[used[parts[static_cast<std::size_t>(transfer.peer)]]]->ctas > 0;
  };
  return streams_beside_an_attend(program, [&](const Exchange& exchange) {
    return std::ranges::any_of(program.sends(exchange), runs_blocks) ||
           std::ranges::any_of(program.receives(exchange), runs_blocks);
  });
}

std::unique_ptr<Transport> Route::make(const Communicator& ranks, Backend& backend,
                                       const TransportOptions& options) const {
  const std::vector<std::uint8_t> used = used_by(ranks.size());
  std::vector<std::unique_ptr<Transport>> parts;
  for (const std::uint8_t i : used) parts.push_back(carriers_[i]->make(ranks, backend, options));
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_unique<RoutedTransport>(std::move(parts), parts_of(ranks.rank(), used), backend.queues());
}

}  // namespace cpbench
