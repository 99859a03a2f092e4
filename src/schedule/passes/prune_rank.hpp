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

/// One rank's program with what the pass learns about it. The program shares its pages with those of other ranks, so it
/// is left as it is wherever possible.
class PruneRank {
 public:
  PruneRank(int rank, Program& program);

  const Program& program() const { return *program_; }
  const Op& op(std::size_t id) const { return program().ops[id]; }
  /// To change an operation.
  Op& edit(std::size_t id) { return program_->ops[id]; }

  /// From operation `since` on, `name` stands for a buffer.
  void rename(BufferId id, BufferId name, std::size_t since) { names_[at(id)] = {name, static_cast<OpId>(since)}; }
  BufferId name(BufferId id, std::size_t op) const {
    const Name& n = names_[at(id)];
    return n.since <= static_cast<OpId>(op) ? n.id : id;
  }
  /// An operation with the names of its buffers at that time, but for those of its transfers.
  Op named(std::size_t id) const;
  /// A transfer of exchange `id`, with the name of its buffer at that time.
  Transfer named_transfer(std::uint32_t transfer, std::size_t id) const;
  bool is_whole(const Region& r) const { return r == program().whole(r.buffer); }

  /// Transfers of a list by peer, those with one peer in the order of the list.
  std::vector<std::uint32_t> by_peer(Slice slice) const;

  void drop_empty_attends();
  /// Replaces the program by what is left of it.
  void rebuild();

  std::vector<char> dead;           ///< by operation
  BoxesByBuffer held, needed;       ///< what is in a buffer (else it is zero, or nothing), what is read of it later
  std::vector<char> read_here;      ///< by buffer: somebody on this rank reads it, not only passes it on
  std::vector<char> live;           ///< by transfer
  std::vector<std::uint32_t> from;  ///< by transfer, of receives: the send in the peer's list
  std::vector<Place> origin;        ///< by buffer: where the block that it holds was last read
  std::vector<BufferId> stand_ins;  ///< by buffer: an earlier one with the same block
  std::unordered_map<std::uint32_t, int> rerouted;  ///< by receive: the rank that sends it instead of the peer
  std::unordered_map<std::size_t, std::vector<Transfer>> added;  ///< by exchange: sends that replace others' ones
  std::size_t cursor = 0;

 private:
  struct Name {
    BufferId id;
    OpId since = 0;
  };
  /// What is left of exchange `id`, with its transfers in `pool`.
  Exchange remaining(std::size_t id, PagedVector<Transfer>& pool) const;
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

  Program* program_;
  std::vector<Name> names_;  ///< by buffer
};

}  // namespace cpbench
