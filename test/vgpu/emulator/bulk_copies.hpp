// TMA: boxes of tensors between global and shared memory.
//
// PTX ISA: cp.async.bulk.tensor and cp.reduce.async.bulk.tensor work through the asynchronous proxy. Loads complete on
// an mbarrier; stores and additions belong to bulk groups of the thread that issues them, and wait_group.read waits for
// their reading of shared memory alone. Elements out of bounds are read as zero and not written.
//
// Assumed: a load counts the bytes of the whole box, whatever is out of bounds. A box whose rows are narrower than the
// span of its swizzle is refused, for nothing says how it lies.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "clocks.hpp"
#include "tensor_map.hpp"
#include "thread.hpp"

namespace cpbench::vgpu {

class BulkCopies {
 public:
  enum class Kind : std::uint8_t { kLoad, kStore, kAdd };
  struct Box {
    TensorMap map;
    std::array<int, 4> at;  ///< coordinates of its first element
    std::uint32_t shared;   ///< offset in shared memory
  };

  void reset();
  void issue(Thread& thread, Kind kind, const Box& box, std::uint32_t mbarrier);
  static void commit(Thread& thread) { ++thread.bulk_group; }
  /// Until at most `pending` of the thread's closed groups are unfinished, or have still to read.
  void wait(Thread& thread, int pending, bool only_reads);
  /// Does one step of a copy under way, the oldest or any. False where there is none.
  bool advance_one();
  /// At the end of a block: nothing may still use its shared memory; what has still to be written is written.
  void finish();

 private:
  /// The two halves of a copy: reading its source and writing its destination.
  struct Copy {
    Kind kind;
    Box box;
    std::uint32_t mbarrier;
    int thread;
    std::uint32_t group;
    int read_slot, write_slot;
    Clock read_clock, write_clock;
    std::vector<std::byte> data;  ///< once it is read
    bool has_read = false, has_written = false;
    bool read_is_waited_for = false;
    bool is_done() const { return has_read && has_written; }
  };
  using CopyList = std::deque<Copy>;

  int take_slot();
  void check(const Thread& thread, const Copy& copy);
  static void read(Copy& copy);
  static void write(Copy& copy);

  CopyList copies_;
  int next_slot_ = 0;
  std::array<Clock, Actors::kBulkSlots> slot_clock_{};
  std::array<Clock, Actors::kBulkSlots> last_load_{};  ///< the last clock of a slot at which a load wrote
};

}  // namespace cpbench::vgpu
