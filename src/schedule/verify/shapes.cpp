#include "schedule/verify/shapes.hpp"

#include <algorithm>

namespace cpbench::verification {
namespace {

/// What a buffer must be to serve as an operand.
struct Shape {
  int dim, dim_v;
  enum Storage { kProblem, kFp32, kAny } storage;
};

/// Checks one operation after the other. Each check says what is wrong through `fail`, and goes on.
class ShapeCheck {
 public:
  ShapeCheck(const Problem& problem, const Program& program, int rank, int ranks, Faults& faults)
      : problem_(problem),
        program_(program),
        rank_(rank),
        ranks_(ranks),
        faults_(faults),
        q_{problem.head_dim, 0, Shape::kProblem},
        kv_{problem.head_dim, problem.head_dim_v, Shape::kProblem},
        out_{problem.head_dim_v, 0, Shape::kProblem},
        state_{problem.head_dim_v + 2, 0, Shape::kFp32},
        dq_{problem.head_dim, 0, Shape::kAny},
        dkv_{problem.head_dim, problem.head_dim_v, Shape::kAny} {}

  void check_owned(std::int64_t rows) {
    const OwnedBuffers& own = program_.owned;
    const int heads = problem_.heads, kv_heads = problem_.kv_heads;
    own_buffer("q", own.q, {q_, rows, heads});
    own_buffer("kv", own.kv, {kv_, rows, kv_heads});
    own_buffer("dout", own.dout, {out_, rows, heads});
    own_buffer("sink", own.sink, {kScalar, 1, heads});
    own_buffer("out", own.out, {out_, rows, heads});
    own_buffer("lse", own.lse, {kScalar, rows, heads});
    own_buffer("dq", own.dq, {{problem_.head_dim, 0, Shape::kProblem}, rows, heads});
    own_buffer("dkv", own.dkv, {kv_, rows, kv_heads});
    own_buffer("dsink", own.dsink, {kScalar, 1, heads});
  }

  void check_op(OpId id) {
    op_ = id;
    const Op& op = program_.ops[static_cast<std::size_t>(id)];
    if (static_cast<int>(op.stream) >= kStreams) return fail("runs on stream {}", static_cast<int>(op.stream));
    if (!in_pool(op.after, program_.dependencies.size())) return fail("has dependencies beyond the program's list");
    for (const OpId before : program_.after(op)) {
      if (before < 0 || before >= id) fail("waits for op {}, which is not before it", before);
    }
    std::visit([this](const auto& action) { check(action); }, op.action);
  }

 private:
  struct Own {
    Shape shape;
    std::int64_t rows;
    int heads;
  };
  static constexpr Shape kScalar{1, 0, Shape::kFp32};

  template <typename... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    faults_.add("{} {}", op_ < 0 ? fmt::format("rank {}", rank_) : describe(rank_, program_, op_),
                fmt::format(format, std::forward<Args>(args)...));
  }

  static bool in_pool(Slice slice, std::size_t size) { return std::uint64_t{slice.begin} + slice.count <= size; }
  bool exists(BufferId id) const { return id >= 0 && id < static_cast<BufferId>(program_.buffers.size()); }

  bool fits(const char* operand, BufferId id, const Shape& shape) {
    if (!exists(id)) {
      fail("has no {}: buffer {} does not exist", operand, id);
      return false;
    }
    const Buffer& b = program_.buffer(id);
    if (b.dim != shape.dim || b.dim_v != shape.dim_v) {
      fail("has a {} (buffer {}) of head dim {} and {}, expected {} and {}", operand, id, b.dim, b.dim_v, shape.dim,
           shape.dim_v);
      return false;
    }
    const DType expected = shape.storage == Shape::kProblem ? problem_.dtype : DType::kFp32;
    if (shape.storage != Shape::kAny && b.dtype != expected) {
      fail("has a {} (buffer {}) in {}, expected {}", operand, id, name_of(b.dtype), name_of(expected));
      return false;
    }
    return true;
  }

  /// Fits, and has the rows and heads of `like`.
  bool fits_like(const char* operand, BufferId id, const Shape& shape, BufferId like) {
    if (!fits(operand, id, shape)) return false;
    const Buffer &a = program_.buffer(id), &b = program_.buffer(like);
    if (a.rows == b.rows && a.heads == b.heads) return true;
    fail("has a {} (buffer {}) of {} rows and {} heads, expected {} and {}", operand, id, a.rows, a.heads, b.rows,
         b.heads);
    return false;
  }

  void own_buffer(const char* name, BufferId id, const Own& expected) {
    if (id == kNoBuffer || !fits(name, id, expected.shape)) return;
    const Buffer& b = program_.buffer(id);
    if (b.rows != expected.rows || b.heads != expected.heads) {
      fail("owns a {} (buffer {}) of {} rows and {} heads, expected {} and {}", name, id, b.rows, b.heads,
           expected.rows, expected.heads);
    }
  }

  bool in_buffer(const Region& r) {
    if (!exists(r.buffer)) {
      fail("names buffer {}, which does not exist", r.buffer);
      return false;
    }
    const Buffer& b = program_.buffer(r.buffer);
    if (b.role == Role::kState) {
      fail("moves a part of state buffer {}, whose layout only the backend knows", r.buffer);
      return false;
    }
    if (r.row_begin >= 0 && r.row_count >= 0 && r.row_count <= b.rows - r.row_begin && r.head_begin >= 0 &&
        r.head_count >= 0 && r.head_count <= b.heads - r.head_begin) {
      return true;
    }
    fail("reaches beyond the {} rows and {} heads of {}", b.rows, b.heads, describe(program_, r));
    return false;
  }

  bool heads_in(const HeadMap& h, int local_heads) {
    if (h.q_begin >= 0 && h.count >= 1 && h.count <= local_heads - h.q_begin && h.q_global >= 0 &&
        h.count <= problem_.heads - h.q_global) {
      return true;
    }
    fail("maps {} heads from local {} to global {}: there are {} and {}", h.count, h.q_begin, h.q_global, local_heads,
         problem_.heads);
    return false;
  }

  void kv_heads_in(const HeadMap& h, BufferId kv) {
    const int first = h.q_global / problem_.group(), last = (h.q_global + h.count - 1) / problem_.group();
    const int held = program_.buffer(kv).heads;
    if (h.kv_global < 0 || h.kv_global > first || held <= last - h.kv_global) {
      fail("reads K/V heads {} to {} of a buffer that holds {} from {} on", first, last, held, h.kv_global);
    }
  }

  void tiles_in(Slice slice, BufferId q, BufferId kv) {
    if (!in_pool(slice, program_.tiles.size())) return fail("has tiles beyond the program's list");
    const std::int64_t rows = program_.buffer(q).rows, keys = program_.buffer(kv).rows;
    for (const Tile& t : std::span(program_.tiles).subspan(slice.begin, slice.count)) {
      if (t.q_begin < 0 || t.q_count < 1 || t.q_count > rows - t.q_begin || t.k_begin < 0 || t.k_count < 1 ||
          t.k_count > keys - t.k_begin || t.lo < -(t.q_count - 1) || t.hi > t.k_count - 1 || t.lo > t.hi) {
        fail("has a tile of q [{}, +{}), k [{}, +{}), band [{}, {}] outside its {} x {} rows", t.q_begin, t.q_count,
             t.k_begin, t.k_count, t.lo, t.hi, rows, keys);
      }
    }
  }

  void check(const Exchange& e) {
    for (const bool sends : {true, false}) {
      if (!in_pool(sends ? e.sends : e.receives, program_.transfers.size())) {
        return fail("has transfers beyond the program's list");
      }
      for (const Transfer& t : sends ? program_.sends(e) : program_.receives(e)) {
        if (t.peer < 0 || t.peer >= ranks_) fail("has peer {} of {} ranks", t.peer, ranks_);
        if (in_buffer(t.region) && t.region.empty()) fail("transfers the empty {}", describe(program_, t.region));
      }
    }
  }

  void check(const Attend& a) {
    if (!fits("q", a.q, q_) || !fits("kv", a.kv, kv_) || !fits_like("state", a.state, state_, a.q)) return;
    if (a.last) {
      fits_like("out", a.out, out_, a.q);
      fits_like("lse", a.lse, kScalar, a.q);
    }
    if (a.sink != kNoBuffer) per_head("sink", a.sink);
    if (heads_in(a.heads, program_.buffer(a.q).heads)) kv_heads_in(a.heads, a.kv);
    tiles_in(a.tiles, a.q, a.kv);
  }

  void check(const AttendBackward& a) {
    if (!fits("q", a.q, q_) || !fits("kv", a.kv, kv_)) return;
    fits_like("dout", a.dout, out_, a.q);
    fits_like("lse", a.lse, kScalar, a.q);
    fits_like("delta", a.delta, kScalar, a.q);
    fits_like("dq", a.dq, dq_, a.q);
    if (heads_in(a.heads, program_.buffer(a.q).heads)) kv_heads_in(a.heads, a.kv);
    tiles_in(a.tiles, a.q, a.kv);
    // Either of kv and dkv may have rows to spare, where it shares its memory with larger blocks.
    if (!fits("dkv", a.dkv, dkv_)) return;
    tiles_in(a.tiles, a.q, a.dkv);
    if (program_.buffer(a.dkv).heads != program_.buffer(a.kv).heads) {
      fail("has a dkv (buffer {}) of {} heads, and a kv of {}", a.dkv, program_.buffer(a.dkv).heads,
           program_.buffer(a.kv).heads);
    }
  }

  void check(const Delta& d) {
    if (!fits("out", d.out, out_)) return;
    fits_like("dout", d.dout, out_, d.out);
    fits_like("delta", d.delta, kScalar, d.out);
  }

  void check(const SinkGradient& s) {
    per_head("sink", s.sink);
    per_head("dsink", s.dsink);
    if (!fits("lse", s.lse, kScalar) || !fits_like("delta", s.delta, kScalar, s.lse)) return;
    heads_in(s.heads, program_.buffer(s.lse).heads);
  }

  void per_head(const char* operand, BufferId id) {
    if (!fits(operand, id, kScalar)) return;
    const Buffer& b = program_.buffer(id);
    if (b.rows != 1 || b.heads != problem_.heads) {
      fail("has a {} (buffer {}) of {} rows and {} heads, expected 1 and {}", operand, id, b.rows, b.heads,
           problem_.heads);
    }
  }

  void same_box(const Region& to, const Region& from) {
    if (!in_buffer(to) || !in_buffer(from)) return;
    const Buffer &a = program_.buffer(to.buffer), &b = program_.buffer(from.buffer);
    if (to.row_count != from.row_count || to.head_count != from.head_count || a.dim != b.dim || a.dim_v != b.dim_v) {
      fail("takes {} to {}, which has another shape", describe(program_, from), describe(program_, to));
    }
  }
  void check(const Add& a) { same_box(a.to, a.from); }
  void check(const Copy& c) { same_box(c.to, c.from); }

  void check(const Merge& m) {
    if (!fits("out", m.out, out_)) return;
    fits_like("lse", m.lse, kScalar, m.out);
    fits_like("partial out", m.partial_out, out_, m.out);
    fits_like("partial lse", m.partial_lse, kScalar, m.out);
    heads_in(m.heads, program_.buffer(m.out).heads);
  }

  const Problem& problem_;
  const Program& program_;
  const int rank_, ranks_;
  Faults& faults_;
  OpId op_ = -1;  ///< being checked; -1: the owned buffers
  const Shape q_, kv_, out_, state_, dq_, dkv_;
};

}  // namespace

void check_shapes(const Problem& problem, const Program& program, int rank, int ranks, std::int64_t own_rows,
                  Faults& faults) {
  ShapeCheck check(problem, program, rank, ranks, faults);
  check.check_owned(own_rows);
  for (OpId id = 0; id < static_cast<OpId>(program.ops.size()) && !faults.full(); ++id) check.check_op(id);
}

}  // namespace cpbench::verification
