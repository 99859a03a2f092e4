#include "run/result_hash.hpp"

#include <algorithm>
#include <cstring>

namespace cpbench {
namespace {

class Fnv1a {
 public:
  void add(const std::byte* data, std::int64_t bytes) {
    for (std::int64_t i = 0; i < bytes; i += kWord) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + i, static_cast<std::size_t>(std::min(kWord, bytes - i)));
      value_ = (value_ ^ word) * 0x100000001b3;
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  static constexpr std::int64_t kWord = sizeof(std::uint64_t);
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace

std::uint64_t hash_of_results(const ProgramMemory& memory) {
  const OwnedBuffers& own = memory.program->owned;
  Fnv1a hash;
  for (const BufferId id : {own.out, own.lse, own.dq, own.dkv, own.dsink}) {
    if (id == kNoBuffer) continue;
    hash.add(memory.buffers[static_cast<std::size_t>(id)], memory.program->buffer(id).bytes(memory.problem->batch));
  }
  return hash.value();
}

}  // namespace cpbench
