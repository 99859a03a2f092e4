#include "validate/norms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

namespace cpbench {
namespace {

// A rank's findings as numbers: max_abs, the defects (none or one), the blocks.
constexpr std::size_t kDefectNumbers = 5, kBlockNumbers = 5;

}  // namespace

double ErrorNorms::Squares::relative() const {
  if (error == 0) return 0;
  return reference == 0 ? std::numeric_limits<double>::infinity() : std::sqrt(error / reference);
}

void ErrorNorms::add(const RowId& id, std::span<const double> values, std::span<const double> reference,
                     double least_square) {
  Squares row;
  for (std::size_t c = 0; c < values.size(); ++c) {
    const bool finite = std::isfinite(reference[c]);
    if (values[c] != reference[c]) {
      if (!finite || !std::isfinite(values[c])) {
        keep_first({id, values[c], reference[c]});
        continue;
      }
      const double error = values[c] - reference[c];
      max_abs_ = std::max(max_abs_, std::abs(error));
      row.error += error * error;
    }
    if (finite) row.reference += reference[c] * reference[c];
  }
  Squares& block = blocks_[{id.batch, id.head, id.token / kNormBlockRows}];
  block.error += row.error;
  block.reference += std::max(row.reference, least_square);
}

void ErrorNorms::keep_first(const Defect& defect) {
  const auto order = [](const RowId& row) { return std::tuple(row.batch, row.token, row.head); };
  if (!defect_ || order(defect.row) < order(defect_->row)) defect_ = defect;
}

void ErrorNorms::join(Collective& collective) {
  std::vector<double> numbers = {max_abs_, defect_ ? 1.0 : 0.0};
  if (defect_) {
    const RowId& row = defect_->row;
    numbers.insert(numbers.end(), {static_cast<double>(row.batch), static_cast<double>(row.token),
                                   static_cast<double>(row.head), defect_->value, defect_->reference});
  }
  for (const auto& [id, squares] : blocks_) {
    numbers.insert(numbers.end(), {static_cast<double>(id.batch), static_cast<double>(id.head),
                                   static_cast<double>(id.index), squares.error, squares.reference});
  }

  *this = ErrorNorms();
  for (const std::vector<double>& part : collective.allgather(numbers)) {
    max_abs_ = std::max(max_abs_, part[0]);
    const double* next = part.data() + 2;
    if (part[1] != 0) {
      keep_first({{static_cast<std::int64_t>(next[0]), static_cast<std::int64_t>(next[1]), static_cast<int>(next[2])},
                  next[3],
                  next[4]});
      next += kDefectNumbers;
    }
    for (; next != part.data() + part.size(); next += kBlockNumbers) {
      Squares& block = blocks_[{static_cast<std::int64_t>(next[0]), static_cast<std::int64_t>(next[1]),
                                static_cast<std::int64_t>(next[2])}];
      block.error += next[3];
      block.reference += next[4];
    }
  }
}

double ErrorNorms::rel_l2() const {
  Squares all;
  for (const auto& [id, squares] : blocks_) {
    all.error += squares.error;
    all.reference += squares.reference;
  }
  return all.relative();
}

ErrorNorms::Blocks::const_iterator ErrorNorms::worst() const {
  return std::max_element(blocks_.begin(), blocks_.end(),
                          [](const auto& a, const auto& b) { return a.second.relative() < b.second.relative(); });
}

double ErrorNorms::worst_block() const { return blocks_.empty() ? 0 : worst()->second.relative(); }

std::string ErrorNorms::worst_block_name(std::int64_t tokens) const {
  if (blocks_.empty()) return {};
  const BlockId& id = worst()->first;
  return fmt::format("batch {}, head {}, tokens {} to {}", id.batch, id.head, id.index * kNormBlockRows,
                     std::min((id.index + 1) * kNormBlockRows, tokens) - 1);
}

}  // namespace cpbench
