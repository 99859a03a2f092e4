// What pruning knows of one rank.
#pragma once

#include <unordered_map>
#include <utility>
#include <vector>

#include "schedule/passes/boxes.hpp"

namespace cpbench {

/// Boxes of the buffers of a rank. Of most buffers it is all or nothing, and a rank may have a hundred thousand.
class BoxesByBuffer {
 public:
  explicit BoxesByBuffer(std::size_t buffers) : whole_(buffers, 0) {}
  void add(const Program& program, const Region& box) {
    if (box == program.whole(box.buffer)) {
      whole_[static_cast<std::size_t>(box.buffer)] = 1;
    } else if (!box.empty()) {
      parts_[box.buffer].add(box);
    }
  }
  bool touches(const Region& box) const {
    if (box.empty()) return false;
    if (whole_[static_cast<std::size_t>(box.buffer)]) return true;
    const auto found = parts_.find(box.buffer);
    return found != parts_.end() && found->second.touches(box);
  }

 private:
  std::vector<char> whole_;
  std::unordered_map<BufferId, Boxes> parts_;
};

/// A buffer of a rank.
struct Place {
  int rank;
  BufferId buffer;
};

/// A sum that leaves a rank which has added all it has to it, for a rank that has nothing to add.
struct Leg {
  int rank;
  BufferId buffer;
  std::int32_t ordinal;  ///< of the exchange
  Label label;           ///< of the addition that there was to be
};

/// One rank's program with what the pass learns about it. The program shares its pages with those of other ranks, so it
/// is left as it is wherever possible.
class PruneRank {
 public:
  PruneRank(int rank, Program& program);

  const Program& program() const { return *program_; }
  const Op& op(std::size_t id) const { return program().ops[id]; }
  /// To change an operation.
  Op& edit(std::size_t id) { return program_->ops[id]; }

  /// A further buffer like `id`, for operations that are inserted and transfers that are added.
  BufferId add_buffer_like(BufferId id);
  /// To be done before operation `id`, after what was inserted there earlier.
  void insert(std::size_t id, const Label& label, const Action& action);
  bool is_whole(const Region& r) const { return r == program().whole(r.buffer); }

  /// Transfers of a list by peer, those with one peer in the order of the list.
  std::vector<std::uint32_t> by_peer(Slice slice) const;

  void drop_empty_attends();
  /// Replaces the program by what is left of it.
  void rebuild();

  const int number;                 ///< the rank
  std::vector<char> dead;           ///< by operation
  BoxesByBuffer held, needed;       ///< what is in a buffer (else it is zero, or nothing), what is read of it later
  std::vector<char> read_here;      ///< by buffer: somebody on this rank reads it, not only passes it on
  std::vector<char> live;           ///< by transfer
  std::vector<std::uint32_t> from;  ///< by transfer, of receives: the send in the peer's list
  std::vector<Place> origin;        ///< by buffer: where the block that it holds was last read
  std::vector<BufferId> stand_ins;  ///< by buffer: an earlier one with the same block
  std::unordered_map<std::uint32_t, int> rerouted;  ///< by receive: the rank that sends it instead of the peer
  std::unordered_map<std::int32_t, std::vector<Transfer>> added_sends, added_receives;  ///< by ordinal of the exchange
  std::unordered_map<BufferId, Leg> arrived;                ///< by buffer: the sum that it holds, where it comes from
  std::unordered_map<BufferId, std::vector<Leg>> homeward;  ///< by buffer: what is missing in the sum that it holds
  std::size_t cursor = 0;

 private:
  void emit_inserted(std::size_t id, PagedVector<Op>& ops) const;
  /// What is left of exchange `id`, with its transfers in `pool`.
  Exchange remaining(std::size_t id, PagedVector<Transfer>& pool) const;
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

  Program* program_;
  std::unordered_map<std::size_t, std::vector<Op>> inserted_;  ///< by the operation that they precede
};

}  // namespace cpbench
