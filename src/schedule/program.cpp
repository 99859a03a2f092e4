#include "schedule/program.hpp"

#include <algorithm>
#include <array>

#include "support/hash.hpp"

namespace cpbench {
namespace {

Region heads_of(const Program& program, BufferId id, const HeadMap& heads) {
  return {id, heads.q_begin, heads.count, 0, program.buffer(id).rows};
}

/// The rows of `kv` that some tile touches.
Region spanned_keys(const Program& program, BufferId kv, std::span<const Tile> tiles) {
  const RowSpan rows = key_span(tiles);
  return {kv, 0, program.buffer(kv).heads, rows.begin, rows.count()};
}

/// Collects the accesses of an operation, kind by kind.
class AccessCollector {
 public:
  explicit AccessCollector(const Program& program) : program_(program) {}

  void operator()(const Exchange& e) {
    for (const Transfer& t : program_.sends(e)) read(t.region);
    for (const Transfer& t : program_.receives(e)) write(t.region);
  }
  void operator()(const Attend& a) {
    read(heads_of(program_, a.q, a.heads));
    read(spanned_keys(program_, a.kv, program_.tiles_of(a)));
    add(heads_of(program_, a.state, a.heads), !a.first, true);
    if (a.first && a.sink != kNoBuffer) read(program_.whole(a.sink));
    if (a.last) {
      write(heads_of(program_, a.out, a.heads));
      write(heads_of(program_, a.lse, a.heads));
    }
  }
  void operator()(const AttendBackward& a) {
    for (BufferId id : {a.q, a.dout, a.lse, a.delta}) read(heads_of(program_, id, a.heads));
    const Region keys = spanned_keys(program_, a.kv, program_.tiles_of(a));
    read(keys);
    add(heads_of(program_, a.dq, a.heads), !a.first_dq, true);
    if (a.first_dkv) {
      write(program_.whole(a.dkv));
    } else {
      add({a.dkv, keys.head_begin, keys.head_count, keys.row_begin, keys.row_count}, true, true);
    }
  }
  void operator()(const Delta& d) {
    read(program_.whole(d.out));
    read(program_.whole(d.dout));
    write(program_.whole(d.delta));
  }
  void operator()(const SinkGradient& s) {
    read(program_.whole(s.sink));
    read(heads_of(program_, s.lse, s.heads));
    read(heads_of(program_, s.delta, s.heads));
    write(program_.whole(s.dsink));
  }
  void operator()(const Add& a) {
    add(a.to, true, true);
    read(a.from);
  }
  void operator()(const Copy& c) {
    write(c.to);
    read(c.from);
  }
  void operator()(const Merge& m) {
    for (BufferId id : {m.out, m.lse}) add(heads_of(program_, id, m.heads), true, true);
    for (BufferId id : {m.partial_out, m.partial_lse}) read(heads_of(program_, id, m.heads));
  }

  std::vector<Access> take() { return std::move(accesses_); }

 private:
  void add(const Region& region, bool reads, bool writes) {
    if (!region.empty()) accesses_.push_back({region, reads, writes});
  }
  void read(const Region& region) { add(region, true, false); }
  void write(const Region& region) { add(region, false, true); }

  const Program& program_;
  std::vector<Access> accesses_;
};

/// Hashes what operations of a kind differ in.
struct ActionHash {
  Hash& hash;

  void operator()(const Region& r) { hash.add(r.buffer, r.head_begin, r.head_count, r.row_begin, r.row_count); }
  void operator()(const Exchange& e) { hash.add(e.ordinal, e.sends.begin, e.receives.begin); }
  void operator()(const Attend& a) { hash.add(a.q, a.kv, a.heads.q_begin, a.tiles.begin); }
  void operator()(const AttendBackward& a) { hash.add(a.q, a.kv, a.dkv, a.heads.q_begin, a.tiles.begin); }
  void operator()(const Delta& d) { hash.add(d.delta); }
  void operator()(const SinkGradient& s) { hash.add(s.dsink); }
  void operator()(const Add& a) { (*this)(a.to), (*this)(a.from); }
  void operator()(const Copy& c) { (*this)(c.to), (*this)(c.from); }
  void operator()(const Merge& m) { hash.add(m.out, m.partial_out, m.heads.q_begin); }
};

}  // namespace

std::size_t hash_of(const Op& op) {
  Hash hash;
  hash.add(op.action.index(), op.label.major, op.label.minor, op.stream, op.after.begin, op.after.count);
  std::visit(ActionHash{hash}, op.action);
  return hash.value();
}

std::size_t hash_of(const Buffer& b) { return hash_of_all(b.role, b.dtype, b.heads, b.dim, b.dim_v, b.rows); }

std::size_t hash_of(const Transfer& transfer) {
  const Region& r = transfer.region;
  return hash_of_all(transfer.peer, r.buffer, r.head_begin, r.head_count, r.row_begin, r.row_count);
}

std::size_t hash_of(const Tile& t) { return hash_of_all(t.q_begin, t.q_count, t.k_begin, t.k_count, t.lo, t.hi); }

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 12> kNames = {"q",  "kv",  "dout",  "sink",  "out",   "lse",
                                                       "dq", "dkv", "dsink", "state", "delta", "accumulator"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string_view name_of(Stream stream) {
  constexpr std::array<std::string_view, kStreams> kNames = {"compute", "inner", "outer", "gradient"};
  return kNames[static_cast<std::size_t>(stream)];
}

std::string_view kind_name(const Action& action) {
  constexpr std::array<std::string_view, 8> kNames = {
      "exchange", "attend", "attend-backward", "delta", "sink-gradient", "add", "copy", "merge"};
  return kNames[action.index()];
}

std::string to_string(const Label& label) {
  std::string text = label.text;
  if (label.major >= 0) text += " " + std::to_string(label.major);
  if (label.minor >= 0) text += "." + std::to_string(label.minor);
  return text;
}

Link Program::farthest_link(const Exchange& e) const {
  Link farthest = Link::kInner;
  for (const TransferList& list : {sends(e), receives(e)}) {
    for (const Transfer& t : list) farthest = std::max(farthest, t.link);
  }
  return farthest;
}

std::int64_t Program::bytes(const Region& region, std::int64_t batch) const {
  const Buffer& b = buffer(region.buffer);
  return (b.has_batch() ? batch : 1) * region.row_count * region.head_count * (b.dim + b.dim_v) * bytes_of(b.dtype);
}

std::int64_t Program::bytes(const TransferList& messages, int rank, std::int64_t batch) const {
  std::int64_t sum = 0;
  for (const Transfer& t : messages) sum += t.peer == rank ? 0 : bytes(t.region, batch);
  return sum;
}

std::int64_t Program::total_bytes(std::int64_t batch) const {
  std::int64_t total = 0;
  for (const Buffer& b : buffers) total += b.bytes(batch);
  return total;
}

std::vector<Access> accesses_of(const Program& program, const Op& op) {
  AccessCollector collector(program);
  std::visit([&](const auto& action) { collector(action); }, op.action);
  return collector.take();
}

}  // namespace cpbench
