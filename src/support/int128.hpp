// 128-bit integers for exact counts of pairs, FLOPs and bytes: 1e10 tokens squared overflow 64 bits.
#pragma once

namespace cpbench {

__extension__ typedef __int128 int128;  // __extension__: no warning under -Wpedantic

}  // namespace cpbench
