#include "schedule/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "support/counted.hpp"

namespace cpbench {
namespace {

/// The operands of an operation as prose.
class Describer {
 public:
  explicit Describer(const Program& program) : program_(program) {}

  std::string operator()(const Exchange& e) const {
    std::vector<std::string> parts;
    add_messages(parts, program_.sends(e), "->");
    add_messages(parts, program_.receives(e), "<-");
    return fmt::format("{}", fmt::join(parts, ", "));
  }
  std::string operator()(const Attend& a) const {
    return fmt::format("{} x {} {}{}{}", name(a.q), name(a.kv), tiles(program_.tiles_of(a)), a.first ? ", first" : "",
                       a.last ? ", last -> " + name(a.out) : "");
  }
  std::string operator()(const AttendBackward& a) const {
    return fmt::format("{} x {} {} -> {}{}, {}{}", name(a.q), name(a.kv), tiles(program_.tiles_of(a)),
                       a.first_dq ? "" : "+", name(a.dq), a.first_dkv ? "" : "+", name(a.dkv));
  }
  std::string operator()(const Delta& d) const {
    return fmt::format("rowsum({} * {}) -> {}", name(d.out), name(d.dout), name(d.delta));
  }
  std::string operator()(const SinkGradient& s) const {
    return fmt::format("{}, {}, {} -> {}", name(s.sink), name(s.lse), name(s.delta), name(s.dsink));
  }
  std::string operator()(const Add& a) const { return fmt::format("{} += {}", region(a.to), region(a.from)); }
  std::string operator()(const Copy& c) const { return fmt::format("{} = {}", region(c.to), region(c.from)); }
  std::string operator()(const Merge& m) const {
    return fmt::format("{}, {} with {}, {}", name(m.out), name(m.lse), name(m.partial_out), name(m.partial_lse));
  }

 private:
  // Those of a role one by one, but where they go to a whole group of peers: `parts of q#0 -> 0..63`.
  void add_messages(std::vector<std::string>& parts, const TransferList& transfers, std::string_view arrow) const {
    std::map<Role, std::vector<Transfer>> by_role;
    for (const Transfer& t : transfers) by_role[role_of(t)].push_back(t);
    std::set<Role> grouped;
    for (const Transfer& t : transfers) {
      const std::vector<Transfer>& alike = by_role[role_of(t)];
      const std::string peers = group_of_peers(alike);
      if (peers.empty()) {
        parts.push_back(fmt::format("{} {} {}", region(t.region), arrow, t.peer));
      } else if (grouped.insert(role_of(t)).second) {
        parts.push_back(fmt::format("{} {} {}", regions(alike), arrow, peers));
      }
    }
  }
  Role role_of(const Transfer& t) const { return program_.buffer(t.region.buffer).role; }

  // `0..63`, or `0..56 by 8`; empty for few peers, which are listed, and for those that are no such group.
  static std::string group_of_peers(const std::vector<Transfer>& transfers) {
    constexpr std::size_t kListed = 4;
    std::vector<int> peers;
    for (const Transfer& t : transfers) peers.push_back(t.peer);
    peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
    if (peers.size() <= kListed) return {};
    const int step = peers[1] - peers[0];
    for (std::size_t i = 1; i < peers.size(); ++i) {
      if (step < 1 || peers[i] - peers[i - 1] != step) return {};
    }
    const std::string range = fmt::format("{}..{}", peers.front(), peers.back());
    return step == 1 ? range : fmt::format("{} by {}", range, step);
  }

  // Of one region that all peers share, itself.
  std::string regions(const std::vector<Transfer>& transfers) const {
    const Region& first = transfers.front().region;
    if (std::ranges::all_of(transfers, [&](const Transfer& t) { return t.region == first; })) return region(first);
    const auto buffer_of = [](const Transfer& t) { return t.region.buffer; };
    const auto [least, most] = std::ranges::minmax(transfers, {}, buffer_of);
    const BufferId begin = buffer_of(least), end = buffer_of(most);
    return fmt::format("parts of {}{}", name(begin), begin == end ? "" : fmt::format("..{}", end));
  }

  std::string name(BufferId id) const { return fmt::format("{}#{}", name_of(program_.buffer(id).role), id); }

  std::string region(const Region& r) const {
    const Buffer& b = program_.buffer(r.buffer);
    std::string text = name(r.buffer);
    if (r.row_begin != 0 || r.row_count != b.rows) {
      text += fmt::format("[rows {}..{}]", r.row_begin, r.row_end());
    }
    if (r.head_count != b.heads) text += fmt::format("[heads {}..{}]", r.head_begin, r.head_end());
    return text;
  }

  static std::string tiles(std::span<const Tile> tiles) {
    std::size_t full = 0;
    for (const Tile& t : tiles) full += t.full() ? 1 : 0;
    return fmt::format("({}, {} full)", counted(std::ssize(tiles), "tile"), full);
  }

  const Program& program_;
};

}  // namespace

std::string describe(const Program& program, OpId id, int rank, std::int64_t batch) {
  const Op& op = program.ops[static_cast<std::size_t>(id)];
  std::string bytes;
  if (const auto* exchange = std::get_if<Exchange>(&op.action)) {
    const bool sends = exchange->sends.count > 0;
    const TransferList transfers = sends ? program.sends(*exchange) : program.receives(*exchange);
    bytes = fmt::format(" ({} B{}, {})", program.bytes(transfers, rank, batch), sends ? "" : " received",
                        name_of(program.farthest_link(*exchange)));
  }
  const auto after = program.after(op);
  const std::string waits = after.empty() ? "" : fmt::format("   after {}", fmt::join(after, ", "));
  return fmt::format("{:>4} {:<8} {:<20} {}{}{}", id, name_of(op.stream), to_string(op.label),
                     std::visit(Describer(program), op.action), bytes, waits);
}

}  // namespace cpbench
