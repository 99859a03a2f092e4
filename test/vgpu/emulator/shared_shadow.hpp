// Who touched each two bytes of shared memory last, and whether what touches them now comes after that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clocks.hpp"

namespace cpbench::vgpu {

/// The reads of a cell that the next write must come after.
class ReadSets {
 public:
  using Id = std::uint32_t;

  Id create(Epoch first, Epoch second);
  void release(Id id);
  /// Adds a read and forgets those that `knowledge`, the reader's, covers.
  template <typename Knowledge>
  void add(Id id, Epoch epoch, const Knowledge& knowledge) {
    auto& set = sets_[id];
    std::size_t kept = 0;
    for (const Epoch read : set) {
      if (read == epoch) return;
      if (!knowledge.covers(read)) set[kept++] = read;
    }
    set.resize(kept);
    set.push_back(epoch);
  }
  const std::vector<Epoch>& of(Id id) const { return sets_[id]; }
  void clear();

 private:
  std::vector<std::vector<Epoch>> sets_;
  std::vector<Id> free_;
};

class SharedShadow {
 public:
  /// Of a new block: bytes [begin, end) of shared memory are its own, and nothing is written yet.
  void reset(std::size_t begin, std::size_t end);

  /// Checks and remembers an access to `bytes` bytes at `offset` of shared memory. Raises a fault where it is not in
  /// order.
  template <typename Knowledge>
  void read(std::size_t offset, std::size_t bytes, Epoch epoch, const Knowledge& knowledge) {
    // Neighbours have mostly been touched together: what holds of one cell's epoch is remembered for the next.
    Epoch ordered_write = 0;
    std::uint32_t replaceable_read = 0;
    for (Cell *cell = cell_at(offset), *end = cell_at(offset + bytes + 1); cell < end; ++cell) {
      if (cell->written != ordered_write) {
        check_write(*cell, knowledge, "read");
        ordered_write = cell->written;
      }
      if (cell->read == epoch) continue;
      if (cell->read == replaceable_read) {
        cell->read = epoch;
      } else if (cell->read & kIsSet) {
        reads_.add(cell->read & ~kIsSet, epoch, knowledge);
      } else if (actor_of(cell->read) == actor_of(epoch) || knowledge.covers(cell->read)) {
        replaceable_read = cell->read;
        cell->read = epoch;
      } else {
        cell->read = kIsSet | reads_.create(cell->read, epoch);
      }
    }
  }
  template <typename Knowledge>
  void write(std::size_t offset, std::size_t bytes, Epoch epoch, const Knowledge& knowledge) {
    Epoch ordered_write = kUnwritten;
    std::uint32_t ordered_read = 0;
    for (Cell *cell = cell_at(offset), *end = cell_at(offset + bytes + 1); cell < end; ++cell) {
      if (cell->written != ordered_write) {
        check_write(*cell, knowledge, "written");
        ordered_write = cell->written;
      }
      if (cell->read != ordered_read) {
        check_reads(*cell, knowledge);
        if (!(cell->read & kIsSet)) ordered_read = cell->read;
      }
      if (cell->read & kIsSet) reads_.release(cell->read & ~kIsSet);
      *cell = {epoch, 0};
    }
  }
  /// The epoch of the last write to the two bytes at `offset`.
  Epoch last_write(std::size_t offset) const { return cells_[offset / 2].written; }

 private:
  struct Cell {
    Epoch written;       ///< or one of the next two
    std::uint32_t read;  ///< 0, the epoch of the one read, or kIsSet and the id of a set
  };
  static constexpr Epoch kOutside = 0, kUnwritten = 1;
  static constexpr std::uint32_t kIsSet = 1u << 31;

  // The cells of bytes [o, o + b) are those of o / 2 up to, not including, that of (o + b + 1) / 2.
  Cell* cell_at(std::size_t offset) { return cells_.data() + offset / 2; }

  template <typename Knowledge>
  void check_write(const Cell& cell, const Knowledge& knowledge, const char* is) const {
    if (cell.written < kFirstEpoch) fail_unwritten(cell);
    if (knowledge.covers(cell.written)) return;
    fail_unordered(cell, cell.written, "written", is, knowledge.is_ordered(cell.written));
  }
  template <typename Knowledge>
  void check_reads(const Cell& cell, const Knowledge& knowledge) const {
    // A write through the asynchronous proxy after an ordinary read needs order, but no fence between proxies.
    const auto check = [&](Epoch read) {
      if (!knowledge.is_ordered(read)) fail_unordered(cell, read, "read", "written", false);
    };
    if (cell.read == 0) return;
    if (!(cell.read & kIsSet)) return check(cell.read);
    for (const Epoch read : reads_.of(cell.read & ~kIsSet)) check(read);
  }

  [[noreturn, gnu::cold]] void fail_unwritten(const Cell& cell) const;
  [[noreturn, gnu::cold]] void fail_unordered(const Cell& cell, Epoch before, const char* was, const char* is,
                                              bool is_ordered) const;

  std::vector<Cell> cells_;
  ReadSets reads_;
};

}  // namespace cpbench::vgpu
