#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/happens_before.hpp"
#include "schedule/passes/operand_visitor.hpp"

namespace cpbench {
namespace {

constexpr OpId kNever = -1;

/// From the first to the last operation that names a buffer, in program order, and the exchanges among them.
struct Lifetime {
  OpId first = kNever, last = kNever;
  std::vector<OpId> exchanges;
};

/// Memory of the shared program: a buffer, and the lifetime of the last buffer that it stood for.
struct Slot {
  BufferId id;
  const Lifetime* tenant;
};

/// Memory for tensors that are the same but for the number of rows, which may differ by a few between shards.
struct Shelf {
  using Busy = std::pair<OpId, std::size_t>;  ///< until when, and which slot
  std::vector<Slot> slots;
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
  std::set<std::size_t> idle;  ///< slots whose tenants have had their last use
};
using ShelfKey = std::tuple<Role, DType, std::int32_t, std::int32_t, std::int32_t>;
ShelfKey shelf_of(const Buffer& b) { return {b.role, b.dtype, b.heads, b.dim, b.dim_v}; }

class Sharing {
 public:
  Sharing(Program& program, bool keep_forward) : program_(program), before_(program.ops.size()) {
    lifetimes_.resize(program.buffers.size());
    is_owned_.resize(program.buffers.size());
    for (const BufferId id : program.owned.all()) is_owned_[static_cast<std::size_t>(id)] = true;
    int attends = 0;
    for (std::size_t id = 0; id < program.ops.size(); ++id) {
      Op& op = program.ops[id];
      before_.append(op.stream, program.after(op));
      attends_before_.push_back(attends);
      attends += std::holds_alternative<Attend>(op.action) || std::holds_alternative<AttendBackward>(op.action);
      for_each_buffer(program, op, [&](BufferId buffer) { use(buffer, static_cast<OpId>(id), keep_forward); });
    }
  }

  void apply() {
    std::vector<BufferId> order;  // by first use; what is never named vanishes
    for (BufferId id = 0; id < static_cast<BufferId>(lifetimes_.size()); ++id) {
      if (lifetime(id).first != kNever || is_owned(id)) order.push_back(id);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](BufferId a, BufferId b) { return lifetime(a).first < lifetime(b).first; });
    renamed_.assign(lifetimes_.size(), kNoBuffer);
    for (const BufferId id : order) place(id);
    for (Op& op : program_.ops) rename_buffers(program_, op, renamed_);
    OperandVisitor([&](BufferId& id) { id = renamed_[static_cast<std::size_t>(id)]; })(program_.owned);
    program_.buffers = std::move(buffers_);
  }

 private:
  const Lifetime& lifetime(BufferId id) const { return lifetimes_[static_cast<std::size_t>(id)]; }

  bool is_owned(BufferId id) const { return is_owned_[static_cast<std::size_t>(id)]; }

  void use(BufferId id, OpId op, bool keep_forward) {
    Lifetime& life = lifetimes_[static_cast<std::size_t>(id)];
    if (life.first == kNever) life.first = op;
    life.last = op;
    const Op& user = program_.ops[static_cast<std::size_t>(op)];
    if (std::holds_alternative<Exchange>(user.action)) life.exchanges.push_back(op);
    const bool left_to_backward = user.backward && !program_.ops[static_cast<std::size_t>(life.first)].backward;
    if (keep_forward && left_to_backward) life.last = static_cast<OpId>(program_.ops.size());
  }

  /// Called in the order of first uses.
  void place(BufferId id) {
    const Buffer& wanted = program_.buffer(id);
    if (is_owned(id)) return name(id, add_memory(wanted));
    Shelf& shelf = shelves_[shelf_of(wanted)];
    const std::size_t slot = free_slot(shelf, lifetime(id).first);
    if (slot == shelf.slots.size()) shelf.slots.push_back({add_memory(wanted), nullptr});
    Buffer& memory = buffers_[static_cast<std::size_t>(shelf.slots[slot].id)];
    memory.rows = std::max(memory.rows, wanted.rows);
    shelf.slots[slot].tenant = &lifetime(id);
    shelf.busy.emplace(lifetime(id).last, slot);
    name(id, shelf.slots[slot].id);
  }

  void name(BufferId id, BufferId memory) { renamed_[static_cast<std::size_t>(id)] = memory; }
  BufferId add_memory(const Buffer& buffer) {
    buffers_.push_back(buffer);
    return static_cast<BufferId>(buffers_.size()) - 1;
  }

  /// The first slot that `user` may have, which is idle no more; one past the last where there is none.
  std::size_t free_slot(Shelf& shelf, OpId user) const {
    for (; !shelf.busy.empty() && shelf.busy.top().first < user; shelf.busy.pop()) {
      shelf.idle.insert(shelf.busy.top().second);
    }
    const auto found = std::ranges::find_if(shelf.idle, [&](std::size_t s) { return is_free(shelf.slots[s], user); });
    if (found == shelf.idle.end()) return shelf.slots.size();
    const std::size_t slot = *found;
    shelf.idle.erase(found);
    return slot;
  }

  /// The exchanges that the tenant took part in are done before `user`, without a wait that would give up overlap in
  /// order to save memory.
  bool is_free(const Slot& slot, OpId user) const {
    return std::all_of(slot.tenant->exchanges.begin(), slot.tenant->exchanges.end(),
                       [&](OpId exchange) { return before_(exchange, user) || had_time(exchange, user); });
  }

  /// An exchange with an attend's time to finish may be waited for; one between windows is meant to take much longer.
  bool had_time(OpId exchange, OpId user) const {
    return program_.ops[static_cast<std::size_t>(exchange)].stream != Stream::kOuter &&
           attends_before_[static_cast<std::size_t>(exchange)] < attends_before_[static_cast<std::size_t>(user)];
  }

  Program& program_;
  HappensBefore before_;
  std::vector<int> attends_before_;  ///< by operation: how many attends precede it
  std::vector<Lifetime> lifetimes_;
  std::vector<bool> is_owned_;  ///< by buffer
  std::map<ShelfKey, Shelf> shelves_;
  PagedVector<Buffer> buffers_;
  std::vector<BufferId> renamed_;
};

}  // namespace

void share_buffers(Program& program, bool keep_forward) { Sharing(program, keep_forward).apply(); }

}  // namespace cpbench
