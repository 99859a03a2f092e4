// What ranks send each other while links are measured, so that a byte that is not theirs is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cpbench {

/// Words of 8 random bytes: those of a rank begin one later than those of the rank before, so that no word is another's
/// of the same rank, nor that of another rank in the same place.
class LinkPayload {
 public:
  LinkPayload(std::int64_t rows, int ranks);

  /// Rows of a rank's send buffer.
  std::span<const std::byte> rows_of(int rank, std::int64_t row, std::int64_t rows) const;

 private:
  std::vector<std::uint64_t> words_;
};

/// The first byte that differs; none where all are equal. Both have one size.
std::optional<std::int64_t> first_difference(std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace cpbench
