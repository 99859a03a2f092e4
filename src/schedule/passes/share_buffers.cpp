#include <algorithm>
#include <vector>

#include "schedule/passes.hpp"
#include "schedule/passes/happens_before.hpp"
#include "schedule/passes/operands.hpp"

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

/// Same tensors but for the number of rows, which may differ by a few between shards.
bool fits(const Buffer& a, const Buffer& b) {
  return a.role == b.role && a.dtype == b.dtype && a.heads == b.heads && a.dim == b.dim && a.dim_v == b.dim_v;
}

class Sharing {
 public:
  Sharing(Program& program, bool keep_forward) : program_(program), before_(program.ops.size()) {
    lifetimes_.resize(program.buffers.size());
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
    OperandVisitor(program_, [&](BufferId& id) { id = renamed_[static_cast<std::size_t>(id)]; })(program_.owned);
    program_.buffers = std::move(buffers_);
  }

 private:
  const Lifetime& lifetime(BufferId id) const { return lifetimes_[static_cast<std::size_t>(id)]; }

  bool is_owned(BufferId id) const {
    const OwnedBuffers& own = program_.owned;
    const auto all = {own.q, own.kv, own.dout, own.sink, own.out, own.lse, own.dq, own.dkv, own.dsink};
    return std::find(all.begin(), all.end(), id) != all.end();
  }

  void use(BufferId id, OpId op, bool keep_forward) {
    Lifetime& life = lifetimes_[static_cast<std::size_t>(id)];
    if (life.first == kNever) life.first = op;
    life.last = op;
    const Op& user = program_.ops[static_cast<std::size_t>(op)];
    if (std::holds_alternative<Exchange>(user.action)) life.exchanges.push_back(op);
    const bool left_to_backward = user.backward && !program_.ops[static_cast<std::size_t>(life.first)].backward;
    if (keep_forward && left_to_backward) life.last = static_cast<OpId>(program_.ops.size());
  }

  void place(BufferId id) {
    const Buffer& wanted = program_.buffer(id);
    if (!is_owned(id)) {
      if (Slot* slot = free_slot(wanted, lifetime(id).first)) {
        Buffer& memory = buffers_[static_cast<std::size_t>(slot->id)];
        memory.rows = std::max(memory.rows, wanted.rows);
        slot->tenant = &lifetime(id);
        renamed_[static_cast<std::size_t>(id)] = slot->id;
        return;
      }
      slots_.push_back({static_cast<BufferId>(buffers_.size()), &lifetime(id)});
    }
    renamed_[static_cast<std::size_t>(id)] = static_cast<BufferId>(buffers_.size());
    buffers_.push_back(wanted);
  }

  Slot* free_slot(const Buffer& wanted, OpId user) {
    for (Slot& slot : slots_) {
      if (fits(buffers_[static_cast<std::size_t>(slot.id)], wanted) && is_free(slot, user)) return &slot;
    }
    return nullptr;
  }

  /// The tenant's last use comes before `user`, and so do the exchanges that it took part in, without a wait that would
  /// give up overlap in order to save memory.
  bool is_free(const Slot& slot, OpId user) const {
    return slot.tenant->last < user &&
           std::all_of(slot.tenant->exchanges.begin(), slot.tenant->exchanges.end(),
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
  std::vector<Slot> slots_;
  std::vector<Buffer> buffers_;
  std::vector<BufferId> renamed_;
};

}  // namespace

void share_buffers(Program& program, bool keep_forward) { Sharing(program, keep_forward).apply(); }

}  // namespace cpbench
