// A pattern as the program of one rank: what runs it is the executor that runs algorithms.
#pragma once

#include <cstdint>
#include <vector>

#include "links/pattern.hpp"
#include "schedule/program.hpp"

namespace cpbench {

/// What is in the receive buffer after a run: words that a rank has sent, from a row of its send buffer on.
struct Arrival {
  int from;
  std::int64_t sent_row, row, rows;
  bool operator==(const Arrival&) const = default;
};

struct LinkProgram {
  Program program;                ///< no operations where the rank takes no part
  std::vector<Arrival> arrivals;  ///< each row of the buffer at most once
};

inline constexpr BufferId kLinkSendBuffer = 0, kLinkReceiveBuffer = 1;
/// How often a program repeats its pattern, each time after the last: what comes on top, from the barrier before to the
/// end after, is a part of that.
inline constexpr int kLinkRepeats = 8;

/// Of `rank`. Every rank's buffers have `options.message_bytes`, in words of 8 bytes; options are those that the
/// pattern was made with.
LinkProgram link_program(const LinkPattern& pattern, const LinkOptions& options, int rank, int ranks);

/// What a rank allocates.
std::int64_t bytes_of_link_buffers(const LinkOptions& options, int ranks);

}  // namespace cpbench
