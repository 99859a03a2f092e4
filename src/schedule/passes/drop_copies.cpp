#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/operand_visitor.hpp"

namespace cpbench {
namespace {

constexpr OpId kNotNamed = -1;

/// What all operations together do with a buffer.
struct Use {
  OpId first = kNotNamed, last = kNotNamed;
  bool owned = false;
  bool only_started = true;  ///< before `last`, every operation that names it is an AttendBackward that starts it
};

bool starts(const Action& action, BufferId id) {
  const auto* attend = std::get_if<AttendBackward>(&action);
  return attend != nullptr && (attend->dq == id ? attend->first_dq : attend->dkv == id && attend->first_dkv);
}

std::vector<Use> uses_of(Program& program) {
  std::vector<Use> uses(program.buffers.size());
  for (const BufferId id : program.owned.all()) uses[static_cast<std::size_t>(id)].owned = true;
  std::vector<bool> last_starts(uses.size());
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    Op& op = program.ops[i];
    for_each_buffer(program, op, [&](BufferId id) {
      const auto index = static_cast<std::size_t>(id);
      Use& use = uses[index];
      if (use.first == kNotNamed) {
        use.first = static_cast<OpId>(i);
      } else {
        use.only_started = use.only_started && last_starts[index];
      }
      use.last = static_cast<OpId>(i);
      last_starts[index] = starts(op.action, id);
    });
  }
  return uses;
}

bool of_one_shape(const Buffer& a, const Buffer& b) {
  return a.heads == b.heads && a.dim == b.dim && a.dim_v == b.dim_v && a.rows == b.rows &&
         a.has_batch() == b.has_batch();
}

/// Whether operations may write the copy where they write what it copies.
bool may_drop(const Program& program, const std::vector<Use>& uses, const Copy& copy, OpId op) {
  const BufferId from = copy.from.buffer, to = copy.to.buffer;
  const Use &source = uses[static_cast<std::size_t>(from)], &target = uses[static_cast<std::size_t>(to)];
  const Buffer &a = program.buffer(from), &b = program.buffer(to);
  return copy.from == program.whole(from) && copy.to == program.whole(to) && of_one_shape(a, b) && !source.owned &&
         source.last == op && target.first == op && (a.dtype == b.dtype || source.only_started);
}

}  // namespace

void drop_copies(Program& program) {
  const std::vector<Use> uses = uses_of(program);
  std::vector<BufferId> names(program.buffers.size());
  std::iota(names.begin(), names.end(), BufferId{0});
  std::vector<bool> dropped(program.ops.size());
  for (std::size_t i = program.ops.size(); i-- > 0;) {  // the last one first: what is copied may be a copy
    const Op& op = std::as_const(program.ops)[i];
    const auto* copy = std::get_if<Copy>(&op.action);
    if (copy == nullptr || !may_drop(program, uses, *copy, static_cast<OpId>(i))) continue;
    names[static_cast<std::size_t>(copy->from.buffer)] = names[static_cast<std::size_t>(copy->to.buffer)];
    dropped[i] = true;
  }
  if (std::ranges::find(dropped, true) == dropped.end()) return;
  PagedVector<Op> ops;
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    if (dropped[i]) continue;
    Op& op = program.ops[i];
    rename_buffers(program, op, names);
    ops.push_back(op);
  }
  program.ops = std::move(ops);
}

}  // namespace cpbench
