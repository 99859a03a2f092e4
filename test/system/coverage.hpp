// Every combination of algorithm, shard, mask, documents, sinks, heads and pass, each tested or refused by a rule.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schedule/case.hpp"

namespace cpbench::test {

/// How query heads are dealt over Ulysses places.
struct HeadMode {
  std::string_view title;
  int heads, kv_heads;
  bool uneven_heads;  ///< the flag
};

struct CoverageRow {
  Case c;  ///< with the row's algorithm, grid and shard
  /// The row stands for every shard: they are the same over a ring of one position.
  bool takes_any_shard() const { return c.grid.ring() == 1; }
};

struct CoverageColumn {
  Mask mask;
  bool documents;
};

std::vector<ShardKind> all_shards();
std::vector<HeadMode> head_modes();
std::vector<CoverageRow> coverage_rows();
std::vector<CoverageColumn> coverage_columns();

/// What a cell of the table stands for: every pass, without and with sinks.
std::vector<Case> cases_of(const HeadMode& heads, const CoverageRow& row, const CoverageColumn& column);

/// The message with which a case is refused, if it is.
std::optional<std::string> refusal_of(const Case& c);

/// docs/coverage.md.
std::string coverage_document();

}  // namespace cpbench::test
