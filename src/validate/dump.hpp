// `--dump`: everything that another program needs to check a point (scripts/check_dump.py).
#pragma once

#include <filesystem>

#include "validate/check.hpp"

namespace cpbench {

/// Makes an empty directory for a dump, or for the dumps of several points in its subdirectories; its parent must
/// exist. Throws a usage error where it cannot be written to, or has files in it; with `overwrite` the dumps in it and
/// in its subdirectories are removed instead, and other files stay. Called before the run.
void prepare_dump(const std::filesystem::path& directory, bool overwrite);

/// Collective; rank 0 writes. q, k, v, dout, out, dq, dk, dv are [batch, seq_len, heads, dim], lse is [batch, seq_len,
/// heads], sink and dsink are [heads], all in fp32 and in global order; what the point does not have is left out.
/// problem.json says what is computed, and how far each tensor may be off (from `report`; empty without a check).
/// Throws a usage error on all ranks where something cannot be written.
void dump(const std::filesystem::path& directory, const Inputs& inputs, Pass pass, const Tokens& tokens,
          const LocalResults& results, const ValidationReport& report, const Collective& collective);

}  // namespace cpbench
