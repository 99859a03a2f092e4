// What brute force computes on: buffers of sets of pairs.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "schedule/schedule.hpp"

namespace cpbench::brute_force {

/// Query token, key token (seq_len: the sink) and query head that met. Sorted only for comparisons.
using Pairs = std::vector<std::array<std::int32_t, 3>>;
inline constexpr std::array<std::int32_t, 3> kPoison = {-1, -1, -1};
inline constexpr std::int32_t kAnyToken = -2;  ///< a state does not know whose it is when its sink is set

/// One row of one head.
struct Element {
  bool garbage = true;
  Role kind = Role::kQ;
  std::int32_t token = 0, head = 0;  ///< of inputs, and of out, lse and delta that are complete
  bool complete = false;
  Pairs pairs = {};  ///< of states, results and accumulators

  bool is(Role role) const { return !garbage && kind == role; }
};

struct Write {
  BufferId buffer;
  std::int64_t row;
  std::int32_t head;
  Element element;
};

/// Throws a std::runtime_error: the schedule is wrong.
[[noreturn]] inline void wrong(const std::string& reason) { throw std::runtime_error(reason); }

/// The buffers of one rank.
class Memory {
 public:
  /// Everything but the inputs is garbage.
  Memory(const Schedule& schedule, int rank) : program_(schedule.programs[static_cast<std::size_t>(rank)]) {
    for (const Buffer& b : program_.buffers) {
      elements_.emplace_back(static_cast<std::size_t>(b.rows) * static_cast<std::size_t>(b.heads));
    }
    const std::vector<std::int64_t> tokens = expand(schedule.tokens[static_cast<std::size_t>(rank)]);
    const OwnedBuffers& own = program_.owned;
    for (const auto& [id, kind] :
         {std::pair(own.q, Role::kQ), {own.kv, Role::kKv}, {own.dout, Role::kDout}, {own.sink, Role::kSink}}) {
      if (id == kNoBuffer) continue;
      for_each(program_.whole(id), [&, id = id, kind = kind](std::int64_t row, std::int32_t head) {
        const std::int64_t token = kind == Role::kSink ? 0 : tokens.at(static_cast<std::size_t>(row));
        at(id, row, head) = {.garbage = false, .kind = kind, .token = static_cast<std::int32_t>(token), .head = head};
      });
    }
  }

  Element& at(BufferId id, std::int64_t row, std::int32_t head) {
    if (id < 0 || id >= static_cast<BufferId>(program_.buffers.size())) wrong("no such buffer");
    const Buffer& b = program_.buffer(id);
    if (row < 0 || row >= b.rows || head < 0 || head >= b.heads) wrong("out of bounds");
    return elements_[static_cast<std::size_t>(id)][static_cast<std::size_t>(row * b.heads + head)];
  }

  template <typename Visitor>
  static void for_each(const Region& r, Visitor&& visit) {
    for (std::int64_t row = r.row_begin; row < r.row_end(); ++row) {
      for (std::int32_t head = r.head_begin; head < r.head_end(); ++head) visit(row, head);
    }
  }

  std::vector<Element> read(const Region& r) {
    std::vector<Element> result;
    for_each(r, [&](std::int64_t row, std::int32_t head) { result.push_back(at(r.buffer, row, head)); });
    return result;
  }
  void write(const Region& r, const std::vector<Element>& elements) {
    auto next = elements.begin();
    for_each(r, [&](std::int64_t row, std::int32_t head) { at(r.buffer, row, head) = *next++; });
  }
  void poison(const Region& r) {
    for_each(r, [&](std::int64_t row, std::int32_t head) { at(r.buffer, row, head) = {}; });
  }
  void apply(const std::vector<Write>& writes) {
    for (const Write& w : writes) at(w.buffer, w.row, w.head) = w.element;
  }
  void poison(const std::vector<Write>& writes) {
    for (const Write& w : writes) at(w.buffer, w.row, w.head) = {};
  }

 private:
  const Program& program_;
  std::vector<std::vector<Element>> elements_;  ///< by buffer, row, head
};

}  // namespace cpbench::brute_force
