#include "problem/documents.hpp"

#include <algorithm>

#include "support/error.hpp"
#include "support/int128.hpp"

namespace cpbench {
namespace {

void check_seq_len(std::int64_t seq_len) {
  if (seq_len < 1) refuse("seq_len is {}: a sequence has at least one token", seq_len);
  if (seq_len > Documents::kMaxSeqLen) {
    refuse("seq_len is {}: the longest sequence that can be counted in 64 bits has {} tokens", seq_len,
           Documents::kMaxSeqLen);
  }
}

}  // namespace

Documents Documents::whole(std::int64_t seq_len) {
  check_seq_len(seq_len);
  Documents documents;
  documents.ends_ = {seq_len};
  return documents;
}

Documents Documents::from_lengths(std::span<const std::int64_t> lengths, std::int64_t seq_len) {
  check_seq_len(seq_len);
  int128 sum = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 1) refuse("document {} has length {}: documents have at least one token", i, lengths[i]);
    sum += lengths[i];
  }
  if (sum != seq_len) {
    refuse("the lengths of the {} documents sum to {}, but seq_len is {}", lengths.size(), sum, seq_len);
  }
  Documents documents;
  documents.ends_.reserve(lengths.size());
  std::int64_t end = 0;
  for (const std::int64_t length : lengths) documents.ends_.push_back(end += length);
  return documents;
}

TokenRange Documents::range(std::int64_t document) const {
  const auto index = static_cast<std::size_t>(document);
  return {index == 0 ? 0 : ends_[index - 1], ends_[index]};
}

std::int64_t Documents::index_of(std::int64_t token) const {
  return std::upper_bound(ends_.begin(), ends_.end(), token) - ends_.begin();
}

std::vector<std::int64_t> Documents::lengths() const {
  std::vector<std::int64_t> lengths;
  lengths.reserve(ends_.size());
  for (std::int64_t document = 0; document < count(); ++document) lengths.push_back(range(document).count());
  return lengths;
}

}  // namespace cpbench
