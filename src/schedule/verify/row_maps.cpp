#include "schedule/verify/row_maps.hpp"

#include <algorithm>

#include "support/hash.hpp"

namespace cpbench::verification {
namespace {

std::size_t hash_of(const std::vector<RowRun>& runs) {
  Hash hash;
  for (const RowRun& r : runs) hash.add(r.row_begin, r.row_end, r.position);
  return hash.value();
}

/// Merges runs that continue each other: neighbours in an operand need not be neighbours by rank.
void append(std::vector<TokenRun>& runs, const TokenRun& next) {
  if (!runs.empty()) {
    TokenRun& last = runs.back();
    const bool continues = last.row_end == next.row_begin && last.stride == next.stride &&
                           last.first + (next.row_begin - last.row_begin) * last.stride == next.first;
    if (continues) {
      last.row_end = next.row_end;
      return;
    }
  }
  runs.push_back(next);
}

bool is_injective(std::vector<RowRun> runs) {
  std::ranges::sort(runs, {}, &RowRun::position);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (runs[i - 1].position + (runs[i - 1].row_end - runs[i - 1].row_begin) > runs[i].position) return false;
  }
  return true;
}

}  // namespace

std::int64_t RowMap::rows() const {
  std::int64_t count = 0;
  for (const RowRun& r : runs) count += r.row_end - r.row_begin;
  return count;
}

void merge_neighbours(std::vector<RowRun>& runs) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (runs[last].row_end == runs[i].row_begin &&
        runs[last].position + (runs[i].row_begin - runs[last].row_begin) == runs[i].position) {
      runs[last].row_end = runs[i].row_end;
    } else {
      runs[++last] = runs[i];
    }
  }
  if (!runs.empty()) runs.resize(last + 1);
}

RowMapId RowMaps::intern(const std::vector<RowRun>& runs) {
  const std::size_t hash = hash_of(runs);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (maps_[it->second].runs == runs) return it->second;
  }
  const auto id = static_cast<RowMapId>(maps_.size());
  maps_.push_back(expand(runs));
  by_hash_.emplace(hash, id);
  return id;
}

RowMap RowMaps::expand(std::vector<RowRun> runs) const {
  RowMap map{.runs = std::move(runs), .tokens = {}, .injective = false};
  map.injective = is_injective(map.runs);
  for (const RowRun& r : map.runs) {
    const std::int64_t shift = r.row_begin - r.position;
    for (TokenRun t : positions_.tokens_of(r.position, r.position + (r.row_end - r.row_begin))) {
      t.row_begin += shift;
      t.row_end += shift;
      append(map.tokens, t);
    }
  }
  return map;
}

}  // namespace cpbench::verification
