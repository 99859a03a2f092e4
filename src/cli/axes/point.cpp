#include "cli/axes/point.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "cli/axes/grid_choice.hpp"
#include "cli/axes/legal.hpp"
#include "problem/document_lengths.hpp"
#include "problem/models.hpp"
#include "support/naming.hpp"

namespace cpbench {
namespace {

std::optional<Model> model_of(const PointSpec& spec) {
  const std::string name = spec.word(Axis::kModel);
  if (name == "none") return std::nullopt;
  return find_model(name);
}

// Heads, head dims, mask and sink. Where a model's kv_heads equal its heads, or its head_dim_v its head_dim, they
// follow an override of the latter, as they do without a model.
void set_shape(const PointSpec& spec, Problem& problem) {
  const auto model = model_of(spec);
  const auto size = [&](Axis axis, int otherwise) { return static_cast<int>(spec.integer_or(axis, otherwise)); };
  problem.heads = model ? size(Axis::kHeads, model->heads) : static_cast<int>(spec.integer(Axis::kHeads));
  problem.head_dim = model ? size(Axis::kHeadDim, model->head_dim) : static_cast<int>(spec.integer(Axis::kHeadDim));
  const bool grouped = model && model->kv_heads != model->heads;
  problem.kv_heads = size(Axis::kKvHeads, grouped ? model->kv_heads : problem.heads);
  const bool narrower_v = model && model->head_dim_v != model->head_dim;
  problem.head_dim_v = size(Axis::kHeadDimV, narrower_v ? model->head_dim_v : problem.head_dim);
  problem.mask = parse_mask(model && model->mask ? spec.word_or(Axis::kMask, *model->mask) : spec.word(Axis::kMask));
  problem.sink = model && model->sink && !spec.has(Axis::kSink) ? true : spec.is_on(Axis::kSink);
}

Documents documents_of(const PointSpec& spec, std::int64_t seq_len, std::uint64_t seed) {
  const AxisValue docs = spec.value(Axis::kDocs);
  if (docs == "none") return Documents::whole(seq_len);
  return naming(spec.where(Axis::kDocs), [&] {
    const auto lengths = docs.is_array()
                             ? docs.get<std::vector<std::int64_t>>()
                             : sample_document_lengths(find_histogram(docs.get<std::string>()), seq_len, seed);
    return Documents::from_lengths(lengths, seq_len);
  });
}

double default_scale(int head_dim) { return 1 / std::sqrt(static_cast<double>(head_dim)); }

// But for the documents.
Problem problem_of(const PointSpec& spec) {
  Problem problem;
  set_shape(spec, problem);
  problem.batch = spec.integer(Axis::kBatch);
  problem.seq_len = spec.integer(Axis::kSeqLen);
  problem.dtype = parse_dtype(spec.word(Axis::kDtype));
  problem.layout = parse_layout(spec.word(Axis::kLayout));
  problem.scale = spec.has(Axis::kScale) ? spec.at(Axis::kScale).get<double>() : default_scale(problem.head_dim);
  return problem;
}

Json axes_of(const Case& c, int tensor_parallel, const PointSpec& spec) {
  const Problem& problem = c.problem;
  const auto on_or_off = [](bool on) { return on ? "on" : "off"; };
  const std::map<Axis, Json> values = {
      {Axis::kAlgo, c.algorithm->name},
      {Axis::kCpSize, c.cp_size()},
      {Axis::kUlyssesDegree, c.grid.ulysses},
      {Axis::kWindowSize, window_size_of(*c.algorithm, c.grid)},
      {Axis::kRankOrder, name_of(c.grid.order)},
      {Axis::kShard, name_of(c.shard)},
      {Axis::kModel, spec.word(Axis::kModel)},
      {Axis::kSeqLen, problem.seq_len},
      {Axis::kBatch, problem.batch},
      {Axis::kHeads, problem.heads * tensor_parallel},
      {Axis::kKvHeads, problem.kv_heads * tensor_parallel},
      {Axis::kHeadDim, problem.head_dim},
      {Axis::kHeadDimV, problem.head_dim_v},
      {Axis::kTensorParallel, tensor_parallel},
      {Axis::kSink, problem.sink},
      {Axis::kUnevenHeads, c.uneven_heads},
      {Axis::kDtype, name_of(problem.dtype)},
      {Axis::kMask, to_string(problem.mask)},
      {Axis::kDocs, spec.value(Axis::kDocs)},
      {Axis::kLayout, name_of(problem.layout)},
      {Axis::kPass, name_of(c.pass)},
      {Axis::kScale, problem.scale},
      {Axis::kOverlap, on_or_off(c.overlap)},
      {Axis::kPrune, on_or_off(c.prune)},
      {Axis::kKvParts, c.kv_parts},
      {Axis::kAccumulate, name_of(c.accumulate)},
  };
  Json axes;
  for (const AxisInfo& info : all_axes()) axes[std::string(info.name)] = values.at(info.axis);
  return axes;
}

// All that no rule concerns: the problem before tensor parallelism and without documents, and no grid.
Case case_without_grid(const PointSpec& spec) {
  Case c;
  c.problem = problem_of(spec);
  c.algorithm = find_algorithm(spec.word(Axis::kAlgo));
  c.shard = parse_shard(spec.word_or(Axis::kShard, name_of(c.algorithm->default_shard)));
  c.pass = parse_pass(spec.word(Axis::kPass));
  c.uneven_heads = spec.is_on(Axis::kUnevenHeads);
  c.overlap = spec.is_on(Axis::kOverlap);
  c.prune = spec.is_on(Axis::kPrune);
  c.kv_parts = static_cast<int>(spec.integer(Axis::kKvParts));
  c.accumulate = parse_accumulate(spec.word(Axis::kAccumulate));
  return c;
}

// So that points that mean the same are the same. A ring of one position has the sequence in order with every shard.
void set_what_has_no_effect(Case& c) {
  if (c.grid.ring() == 1) c.shard = ShardKind::kContiguous;
  if (c.grid.ulysses == 1) c.uneven_heads = false;
}

ResolvedPoint resolve_or_name_rule(const PointSpec& spec, const ResolveContext& context) {
  ResolvedPoint point;
  Case& c = point.of;
  c = case_without_grid(spec);
  c.problem.documents = documents_of(spec, c.problem.seq_len, context.seed);
  const HeadShare share = share_heads(spec, c.problem.heads, c.problem.kv_heads, context);
  c.problem.heads = share.heads;
  c.problem.kv_heads = share.kv_heads;
  c.grid = choose_grid(spec, *c.algorithm, share, context);
  set_what_has_no_effect(c);
  check(c);
  point.axes = axes_of(c, share.tensor_parallel, spec);
  return point;
}

// The default that an axis has beside these others, or null where they do not say.
Json default_beside(Axis axis, const Json& axes) {
  const auto head_dim = axes.find("head_dim");
  switch (axis) {
    case Axis::kHeadDimV:
      return head_dim == axes.end() ? Json() : *head_dim;
    case Axis::kScale:
      if (head_dim == axes.end() || !head_dim->is_number_integer()) return {};
      return default_scale(head_dim->get<int>());
    case Axis::kCpSize:
    case Axis::kUlyssesDegree:
    case Axis::kWindowSize:
    case Axis::kShard:
    case Axis::kKvHeads:
      return {};
    default:
      return PointSpec().value(axis);
  }
}

bool is_possible(const PointSpec& spec, const ResolveContext& context) {
  try {
    resolve_or_name_rule(spec, context);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void PointSpec::override_with(const PointSpec& other) {
  for (const AxisInfo& info : all_axes()) {
    if (other.has(info.axis)) set(info.axis, other.at(info.axis), other.where(info.axis));
  }
}

std::string PointSpec::where(Axis axis) const {
  const std::string& place = places_[static_cast<std::size_t>(axis)];
  return place.empty() ? info_of(axis).flag() : place;
}

AxisValue PointSpec::value(Axis axis) const {
  if (has(axis)) return at(axis);
  const AxisInfo& info = info_of(axis);
  return value_from_text(info, info.fallback, info.name);
}

bool PointSpec::is_on(Axis axis) const {
  const AxisValue chosen = value(axis);
  return chosen == true || chosen == "on";
}

std::int64_t PointSpec::integer_or(Axis axis, std::int64_t otherwise) const {
  return has(axis) ? at(axis).get<std::int64_t>() : otherwise;
}

std::string PointSpec::word_or(Axis axis, std::string_view otherwise) const {
  return has(axis) ? at(axis).get<std::string>() : std::string(otherwise);
}

Json known_axes(const PointSpec& spec, const ResolveContext& context) {
  Case c = case_without_grid(spec);
  if (c.algorithm->ring == RingLevel::kNone) c.shard = ShardKind::kContiguous;
  Json axes = axes_of(c, /*tensor_parallel=*/1, spec);
  axes["cp_size"] = spec.integer_or(Axis::kCpSize, context.world_size);
  axes["tensor_parallel"] = spec.value(Axis::kTensorParallel);
  for (const Axis axis : {Axis::kUlyssesDegree, Axis::kWindowSize, Axis::kRankOrder}) {
    const std::string name(info_of(axis).name);
    axes.erase(name);
    const bool is_open =
        axis == Axis::kWindowSize ? c.algorithm->leaves_window_open() : c.algorithm->leaves_degree_open();
    if (spec.has(axis) && is_open) axes[name] = spec.at(axis);
  }
  return axes;
}

Json noteworthy(const Json& axes) {
  constexpr std::array kAlways = {Axis::kBatch, Axis::kHeads, Axis::kHeadDim, Axis::kDtype};
  Json noted;
  for (const auto& [name, value] : axes.items()) {
    const AxisInfo* axis = find_axis(name);
    const bool has_default = axis != nullptr && std::ranges::count(kAlways, axis->axis) == 0;
    if (!has_default || value != default_beside(axis->axis, axes)) noted[name] = value;
  }
  return noted;
}

ResolvedPoint resolve(const PointSpec& spec, const ResolveContext& context) {
  try {
    return resolve_or_name_rule(spec, context);
  } catch (const Impossible& error) {
    const std::string choices = legal_choices(error.remedies(), [&](Axis axis, const AxisValue& value) {
      PointSpec other = spec;
      other.set(axis, value);
      return is_possible(other, context);
    });
    refuse("{}{}", error.what(), choices.empty() ? choices_by_one_rule(error.remedies()) : choices);
  }
}

}  // namespace cpbench
