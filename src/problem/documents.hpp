// Documents packed into one sequence: contiguous, and attention never crosses their borders.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cpbench {

/// A half-open range of tokens.
struct TokenRange {
  std::int64_t begin, end;
  std::int64_t count() const { return end - begin; }
  bool operator==(const TokenRange&) const = default;
};

/// A partition of [0, seq_len) into documents, the same for every sequence of the batch.
class Documents {
 public:
  /// Longer sequences are refused, so that sums and differences of two tokens or window reaches fit in 64 bits.
  static constexpr std::int64_t kMaxSeqLen = std::int64_t{1} << 62;

  /// One document: the whole sequence. Throws a usage error unless 1 <= seq_len <= kMaxSeqLen.
  static Documents whole(std::int64_t seq_len);
  /// Throws a usage error unless every length is >= 1 and they sum to seq_len; the message has both sums.
  static Documents from_lengths(std::span<const std::int64_t> lengths, std::int64_t seq_len);

  std::int64_t count() const { return static_cast<std::int64_t>(ends_.size()); }
  std::int64_t seq_len() const { return ends_.back(); }
  TokenRange range(std::int64_t document) const;
  /// Index of the document that holds `token`: O(log count).
  std::int64_t index_of(std::int64_t token) const;
  std::vector<std::int64_t> lengths() const;

 private:
  std::vector<std::int64_t> ends_;
};

}  // namespace cpbench
