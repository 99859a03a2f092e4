#pragma once

#include "shard/shard.hpp"

namespace cpbench {

inline constexpr ShardKind kShardKinds[] = {ShardKind::kContiguous, ShardKind::kZigzag, ShardKind::kStriped,
                                            ShardKind::kZigzagDocs};

}  // namespace cpbench
