#include "schedule/mutation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace cpbench {
namespace {

/// Mutations of one rank's program. Each returns whether it found something to change. Lists are shared between
/// operations, so a changed list becomes a new one.
class Mutator {
 public:
  Mutator(Program& program, int ranks, std::mt19937_64& random) : p_(program), ranks_(ranks), random_(random) {}

  bool drop_dependency() {
    Op& op = any_op();
    std::vector<OpId> after = list(p_.dependencies, op.after);
    if (after.empty()) return false;
    after.erase(after.begin() + below(after.size()));
    op.after = store(p_.dependencies, after);
    return true;
  }

  bool retarget_dependency() {
    const int id = below(p_.ops.size());
    Op& op = p_.ops[static_cast<std::size_t>(id)];
    std::vector<OpId> after = list(p_.dependencies, op.after);
    if (after.empty()) return false;
    after[static_cast<std::size_t>(below(after.size()))] = below(static_cast<std::size_t>(id));
    op.after = store(p_.dependencies, after);
    return true;
  }

  bool drop_all_dependencies() {
    Op& op = any_op();
    if (op.after.count == 0) return false;
    op.after = {};
    return true;
  }

  bool change_stream() {
    any_op().stream = static_cast<Stream>(below(kStreams));
    return true;
  }

  bool move_tile() {
    return change_tiles([this](std::vector<Tile>& tiles) {
      Tile& t = tiles[static_cast<std::size_t>(below(tiles.size()))];
      const std::array fields = {&t.q_begin, &t.q_count, &t.k_begin, &t.k_count, &t.lo, &t.hi};
      *fields[static_cast<std::size_t>(below(fields.size()))] += coin() ? 1 : -1;
    });
  }
  bool drop_tile() {
    return change_tiles([this](std::vector<Tile>& tiles) { tiles.erase(tiles.begin() + below(tiles.size())); });
  }
  bool double_tile() {
    return change_tiles([this](std::vector<Tile>& tiles) {
      const Tile t = tiles[static_cast<std::size_t>(below(tiles.size()))];
      tiles.push_back(t);
    });
  }

  bool swap_operand() {
    std::vector<BufferId*> operands;
    Op& op = any_op();
    if (auto* a = std::get_if<Attend>(&op.action)) operands = {&a->q, &a->kv, &a->state, &a->out, &a->lse};
    if (auto* a = std::get_if<AttendBackward>(&op.action)) {
      operands = {&a->q, &a->kv, &a->dout, &a->lse, &a->delta, &a->dq, &a->dkv};
    }
    if (auto* d = std::get_if<Delta>(&op.action)) operands = {&d->out, &d->dout, &d->delta};
    if (auto* s = std::get_if<SinkGradient>(&op.action)) operands = {&s->lse, &s->delta, &s->dsink};
    if (auto* a = std::get_if<Add>(&op.action)) operands = {&a->to.buffer, &a->from.buffer};
    if (auto* c = std::get_if<Copy>(&op.action)) operands = {&c->to.buffer, &c->from.buffer};
    if (auto* m = std::get_if<Merge>(&op.action)) operands = {&m->out, &m->lse, &m->partial_out, &m->partial_lse};
    return !operands.empty() && replace_buffer(*operands[static_cast<std::size_t>(below(operands.size()))]);
  }

  bool flip_flag() {
    Op& op = any_op();
    if (auto* a = std::get_if<Attend>(&op.action)) {
      bool& flag = coin() ? a->first : a->last;
      flag = !flag;
      return true;
    }
    if (auto* a = std::get_if<AttendBackward>(&op.action)) {
      bool& flag = coin() ? a->first_dq : a->first_dkv;
      flag = !flag;
      return true;
    }
    return false;
  }

  bool change_heads() {
    Op& op = any_op();
    HeadMap* heads = nullptr;
    if (auto* a = std::get_if<Attend>(&op.action)) heads = &a->heads;
    if (auto* a = std::get_if<AttendBackward>(&op.action)) heads = &a->heads;
    if (auto* s = std::get_if<SinkGradient>(&op.action)) heads = &s->heads;
    if (auto* m = std::get_if<Merge>(&op.action)) heads = &m->heads;
    if (heads == nullptr) return false;
    const std::array fields = {&heads->q_begin, &heads->count, &heads->q_global, &heads->kv_global};
    std::int32_t& field = *fields[static_cast<std::size_t>(below(fields.size()))];
    field += coin() ? 1 : -1;
    return heads->count >= 1;
  }

  bool toggle_sink() {
    auto* a = std::get_if<Attend>(&any_op().action);
    if (a == nullptr || p_.owned.sink == kNoBuffer) return false;
    a->sink = a->sink == kNoBuffer ? p_.owned.sink : kNoBuffer;
    return true;
  }

  bool change_transfer() {
    return change_transfers([this](std::vector<Transfer>& transfers) {
      Transfer& t = transfers[static_cast<std::size_t>(below(transfers.size()))];
      if (coin()) {
        t.peer = below(static_cast<std::size_t>(ranks_));
      } else if (coin()) {
        replace_buffer(t.region.buffer);
      } else {
        move_region(t.region);
      }
    });
  }
  bool drop_transfer() {
    return change_transfers([this](std::vector<Transfer>& t) { t.erase(t.begin() + below(t.size())); });
  }
  bool double_transfer() {
    return change_transfers([this](std::vector<Transfer>& t) {
      const Transfer copy = t[static_cast<std::size_t>(below(t.size()))];
      t.push_back(copy);
    });
  }
  bool swap_transfers() {
    return change_transfers([this](std::vector<Transfer>& t) {
      std::swap(t.front().region, t[static_cast<std::size_t>(below(t.size()))].region);
    });
  }

  bool swap_sends() {
    auto *a = std::get_if<Exchange>(&any_op().action), *b = std::get_if<Exchange>(&any_op().action);
    if (a == nullptr || b == nullptr || a == b) return false;
    std::swap(a->sends, b->sends);
    return true;
  }
  bool change_ordinal() {
    auto* e = std::get_if<Exchange>(&any_op().action);
    if (e == nullptr) return false;
    e->ordinal += coin() ? 1 : -1;
    return true;
  }

  bool move_copied_region() {
    Op& op = any_op();
    if (auto* a = std::get_if<Add>(&op.action)) return move_region(coin() ? a->to : a->from), true;
    if (auto* c = std::get_if<Copy>(&op.action)) return move_region(coin() ? c->to : c->from), true;
    return false;
  }

  bool drop_op() {
    const OpId dropped = below(p_.ops.size());
    p_.ops.erase(p_.ops.begin() + dropped);
    rename([dropped](OpId id) { return id - (id > dropped ? 1 : 0); }, dropped);
    return true;
  }
  bool double_op() {
    const OpId original = below(p_.ops.size());
    Op copy = p_.ops[static_cast<std::size_t>(original)];
    rename([original](OpId id) { return id + (id > original ? 1 : 0); }, kNoOp);
    std::vector<OpId> after = list(p_.dependencies, copy.after);
    after.push_back(original);
    copy.after = store(p_.dependencies, after);
    p_.ops.insert(p_.ops.begin() + original + 1, copy);
    return true;
  }
  bool swap_ops() {
    if (p_.ops.size() < 2) return false;
    const OpId first = below(p_.ops.size() - 1);
    std::swap(p_.ops[static_cast<std::size_t>(first)], p_.ops[static_cast<std::size_t>(first) + 1]);
    rename([first](OpId id) { return id == first ? first + 1 : id == first + 1 ? first : id; }, kNoOp);
    return std::ranges::none_of(list(p_.dependencies, p_.ops[static_cast<std::size_t>(first)].after),
                                [first](OpId id) { return id >= first; });
  }

  bool change_result() {
    const std::array results = {&p_.owned.out, &p_.owned.lse, &p_.owned.dq, &p_.owned.dkv, &p_.owned.dsink};
    BufferId& result = *results[static_cast<std::size_t>(below(results.size()))];
    return result != kNoBuffer && replace_buffer(result);
  }
  bool change_pass() {
    Op& op = any_op();
    op.backward = !op.backward;
    return true;
  }

 private:
  static constexpr OpId kNoOp = -1;

  int below(std::size_t limit) { return limit == 0 ? 0 : static_cast<int>(random_() % limit); }
  bool coin() { return random_() % 2 == 0; }
  Op& any_op() { return p_.ops[static_cast<std::size_t>(below(p_.ops.size()))]; }

  template <typename Pool>
  static std::vector<typename Pool::value_type> list(const Pool& pool, Slice slice) {
    return {pool.begin() + slice.begin, pool.begin() + slice.begin + slice.count};
  }
  template <typename Pool>
  static Slice store(Pool& pool, const std::vector<typename Pool::value_type>& values) {
    const Slice slice{static_cast<std::uint32_t>(pool.size()), static_cast<std::uint32_t>(values.size())};
    pool.insert(pool.end(), values.begin(), values.end());
    return slice;
  }

  template <typename Change>
  bool change_tiles(Change&& change) {
    Op& op = any_op();
    Slice* slice = nullptr;
    if (auto* a = std::get_if<Attend>(&op.action)) slice = &a->tiles;
    if (auto* a = std::get_if<AttendBackward>(&op.action)) slice = &a->tiles;
    if (slice == nullptr || slice->count == 0) return false;
    std::vector<Tile> tiles = list(p_.tiles, *slice);
    change(tiles);
    *slice = store(p_.tiles, tiles);
    return true;
  }

  template <typename Change>
  bool change_transfers(Change&& change) {
    auto* e = std::get_if<Exchange>(&any_op().action);
    if (e == nullptr) return false;
    Slice& slice = coin() ? e->sends : e->receives;
    if (slice.count == 0) return false;
    std::vector<Transfer> transfers = list(p_.transfers, slice);
    change(transfers);
    slice = store(p_.transfers, transfers);
    return true;
  }

  /// Another buffer of the same shape, if there is one.
  bool replace_buffer(BufferId& id) {
    if (id == kNoBuffer) return false;
    const Buffer& like = p_.buffer(id);
    std::vector<BufferId> others;
    for (BufferId other = 0; other < static_cast<BufferId>(p_.buffers.size()); ++other) {
      const Buffer& b = p_.buffer(other);
      if (other != id && b.heads == like.heads && b.rows == like.rows && b.dim == like.dim && b.dim_v == like.dim_v) {
        others.push_back(other);
      }
    }
    if (others.empty()) return false;
    id = others[static_cast<std::size_t>(below(others.size()))];
    return true;
  }

  void move_region(Region& r) {
    const std::int32_t by = coin() ? 1 : -1;
    switch (below(4)) {
      case 0:
        r.row_begin += by;
        break;
      case 1:
        r.row_count += by;
        break;
      case 2:
        r.head_begin += by;
        break;
      default:
        r.head_count += by;
    }
  }

  /// Gives operations new numbers in all dependencies; those on `gone` vanish.
  void rename(const std::function<OpId(OpId)>& name, OpId gone) {
    for (Op& op : p_.ops) {
      std::vector<OpId> after = list(p_.dependencies, op.after);
      std::erase(after, gone);
      std::ranges::transform(after, after.begin(), name);
      op.after = store(p_.dependencies, after);
    }
  }

  Program& p_;
  const int ranks_;
  std::mt19937_64& random_;
};

struct Mutation {
  const char* name;
  bool (Mutator::*apply)();
};
constexpr std::array kMutations = {
    Mutation{"dependency dropped", &Mutator::drop_dependency},
    Mutation{"dependency dropped", &Mutator::drop_dependency},
    Mutation{"dependency on another operation", &Mutator::retarget_dependency},
    Mutation{"all dependencies dropped", &Mutator::drop_all_dependencies},
    Mutation{"other stream", &Mutator::change_stream},
    Mutation{"tile moved", &Mutator::move_tile},
    Mutation{"tile dropped", &Mutator::drop_tile},
    Mutation{"tile doubled", &Mutator::double_tile},
    Mutation{"other operand", &Mutator::swap_operand},
    Mutation{"other operand", &Mutator::swap_operand},
    Mutation{"flag flipped", &Mutator::flip_flag},
    Mutation{"other heads", &Mutator::change_heads},
    Mutation{"sink toggled", &Mutator::toggle_sink},
    Mutation{"transfer changed", &Mutator::change_transfer},
    Mutation{"transfer dropped", &Mutator::drop_transfer},
    Mutation{"transfer doubled", &Mutator::double_transfer},
    Mutation{"transfers swapped", &Mutator::swap_transfers},
    Mutation{"sends of two exchanges swapped", &Mutator::swap_sends},
    Mutation{"other ordinal", &Mutator::change_ordinal},
    Mutation{"other region added or copied", &Mutator::move_copied_region},
    Mutation{"operation dropped", &Mutator::drop_op},
    Mutation{"operation doubled", &Mutator::double_op},
    Mutation{"operations swapped", &Mutator::swap_ops},
    Mutation{"other result", &Mutator::change_result},
    Mutation{"other pass", &Mutator::change_pass},
};

}  // namespace

std::string mutate(Schedule& schedule, std::mt19937_64& random) {
  while (true) {
    const std::size_t rank = random() % schedule.programs.size();
    Program program = schedule.programs[rank];
    if (program.ops.empty()) continue;
    const Mutation& mutation = kMutations[random() % kMutations.size()];
    Mutator mutator(program, static_cast<int>(schedule.programs.size()), random);
    if (!(mutator.*mutation.apply)()) continue;
    schedule.programs[rank] = std::move(program);
    return fmt::format("rank {}: {}", rank, mutation.name);
  }
}

}  // namespace cpbench
