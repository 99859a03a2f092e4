#include "shard/segment.hpp"

#include <algorithm>
#include <stdexcept>

namespace cpbench {
namespace {

// The stride with which `tail` continues `head` as one progression, or 0 where it does not.
std::int64_t joint_stride(const Segment& head, const Segment& tail) {
  const std::int64_t step = tail.first - head.last();
  const bool head_agrees = head.count == 1 || head.stride == step;
  const bool tail_agrees = tail.count == 1 || tail.stride == step;
  return step >= 1 && head_agrees && tail_agrees ? step : 0;
}

}  // namespace

std::int64_t count_of(const Tokens& tokens) {
  std::int64_t count = 0;
  for (const Segment& segment : tokens) count += segment.count;
  return count;
}

void append(Tokens& tokens, Segment segment) {
  if (segment.count <= 0) return;
  if (segment.count == 1) segment.stride = 1;  // so that equal shards compare equal
  const std::int64_t stride = tokens.empty() ? 0 : joint_stride(tokens.back(), segment);
  if (stride == 0) {
    tokens.push_back(segment);
  } else {
    tokens.back().count += segment.count;
    tokens.back().stride = stride;
  }
}

Tokens slice(const Tokens& tokens, std::int64_t begin, std::int64_t count) {
  Tokens rows;
  std::int64_t skip = begin;
  std::int64_t missing = count;
  for (const Segment& segment : tokens) {
    if (missing == 0) break;
    if (skip >= segment.count) {
      skip -= segment.count;
      continue;
    }
    const std::int64_t taken = std::min(segment.count - skip, missing);
    append(rows, {segment.at(skip), taken, segment.stride});
    missing -= taken;
    skip = 0;
  }
  if (begin < 0 || missing != 0) throw std::logic_error("slice beyond the rows of the tokens");
  return rows;
}

std::vector<Tokens> cut(const Tokens& tokens, int parts) {
  if (parts < 1) throw std::logic_error("tokens cut into less than one part");
  const std::int64_t total = count_of(tokens);
  std::vector<Tokens> pieces;
  pieces.reserve(static_cast<std::size_t>(parts));
  std::int64_t begin = 0;
  for (int part = 0; part < parts; ++part) {
    const std::int64_t count = total / parts + (part < total % parts ? 1 : 0);
    pieces.push_back(slice(tokens, begin, count));
    begin += count;
  }
  return pieces;
}

std::vector<std::int64_t> expand(const Tokens& tokens) {
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(count_of(tokens)));
  for (const Segment& segment : tokens) {
    for (std::int64_t i = 0; i < segment.count; ++i) rows.push_back(segment.at(i));
  }
  return rows;
}

}  // namespace cpbench
