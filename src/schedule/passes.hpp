// Passes: functions from programs to programs, applied by build_schedule in this order, but that state_dependencies
// comes before share_buffers, too, which asks what runs when. An algorithm file writes each received block into a
// buffer of its own and states no dependency; the rest is done here, once, for all algorithms.
#pragma once

#include <functional>
#include <vector>

#include "schedule/program.hpp"

namespace cpbench {

/// Drops what nobody reads, over all ranks: attends without tiles, transfers whose data no rank attends, sums of
/// nothing; a block that a rank only passes on goes straight to the next rank that needs it, and a sum that the next
/// rank has nothing to add to goes straight to where it is read in the end. Calls done(rank), on some thread, when a
/// rank's program is what it will be: other ranks' ones still take more memory then.
void prune(std::vector<Program>& programs, const std::function<void(std::size_t)>& done);

/// About how much memory prune takes beside the programs, for one that is like `program`.
std::int64_t pruning_bytes(const Program& program);

/// Of the blocks that a rank receives to attend, the part of which it does attend something: about as much of a program
/// is left by prune.
double attended_part(const Program& program);

/// A quick look: false where prune would find nothing if the other ranks' programs are alike, because all blocks travel
/// whole and all are attended.
bool may_be_pruned(const Program& program);

/// Rewrites each rank's chain of Attends on one state into finished partial results that are merged in the storage
/// type.
void accumulate_by_merging(Program& program);

/// Drops copies of whole buffers where what is copied can be written to the copy at once: the gradients of a single
/// attend, which are rounded as they are stored, and sums in the type of the result.
void drop_copies(Program& program);

/// Lets buffers with disjoint lifetimes share memory. Owned buffers keep theirs. With `keep_forward`, what the forward
/// pass leaves to the backward pass survives the backward pass too, so that this can be run again alone.
void share_buffers(Program& program, bool keep_forward);

/// States what lies between the rank and the peer of each transfer.
void state_links(Program& program, const Grid& grid, int rank);

/// Stores equal lists of transfers once. Afterwards no list may be changed where it lies.
void intern_transfers(Program& program);

/// States every dependency: read after write, write after read, write after write on overlapping regions.
void state_dependencies(Program& program);

/// `--overlap off`: each operation also waits for the one before it.
void serialize(Program& program);

}  // namespace cpbench
