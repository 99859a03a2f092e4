#include "run/result_hash.hpp"

#include <algorithm>
#include <cstring>

namespace cpbench {
namespace {

/// MurmurHash64A, but for the length that it begins with, as results that are compared have the same, and for a tail
/// that is mixed as a word is. Every word is mixed by itself, or else differences in the highest bits would reach no
/// others, and two would cancel out.
class MurmurHash {
 public:
  void add(const std::byte* data, std::int64_t bytes) {
    for (std::int64_t i = 0; i < bytes; i += kWord) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + i, static_cast<std::size_t>(std::min(kWord, bytes - i)));
      word *= kFactor;
      word ^= word >> kShift;
      word *= kFactor;
      value_ = (value_ ^ word) * kFactor;
    }
  }
  std::uint64_t value() const {
    const std::uint64_t mixed = (value_ ^ value_ >> kShift) * kFactor;
    return mixed ^ mixed >> kShift;
  }

 private:
  static constexpr std::int64_t kWord = sizeof(std::uint64_t);
  static constexpr std::uint64_t kFactor = 0xc6a4a7935bd1e995;
  static constexpr int kShift = 47;
  std::uint64_t value_ = kFactor;  ///< not 0, which words of zeros would leave as it is
};

}  // namespace

std::uint64_t hash_of_results(const ProgramMemory& memory) {
  MurmurHash hash;
  for (const BufferId id : memory.program->owned.results()) {
    hash.add(memory.buffers[static_cast<std::size_t>(id)], memory.program->buffer(id).bytes(memory.problem->batch));
  }
  return hash.value();
}

}  // namespace cpbench
