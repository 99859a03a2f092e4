#include "validate/input.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "support/names.hpp"
#include "validate/normal.hpp"
#include "validate/on_threads.hpp"

namespace cpbench {
namespace {

constexpr float kConstant = 0.5f;  // exact in every dtype
constexpr double kLargeLogitsScale = 4;
constexpr float kOutlierScale = 20;
constexpr double kSinkDeviation = 2;

constexpr std::array<Named<InputKind>, 5> kKinds = {{{InputKind::kNormal, "normal"},
                                                     {InputKind::kOutlier, "outlier"},
                                                     {InputKind::kLargeLogits, "large-logits"},
                                                     {InputKind::kConstant, "constant"},
                                                     {InputKind::kNan, "nan"}}};
constexpr std::array<Named<Tensor>, 5> kTensors = {
    {{Tensor::kQ, "q"}, {Tensor::kK, "k"}, {Tensor::kV, "v"}, {Tensor::kDout, "dout"}, {Tensor::kSink, "sink"}}};

/// Streams of random numbers beside those of the tensors.
constexpr std::uint32_t kOutlierStream = 15;

/// Distinct for every (stream, batch, token, head) below 2^28 streams times tokens, 2^32, 2^60 and 2^24; the last
/// word's low byte counts the blocks of a row.
std::array<std::uint32_t, 4> counter_of(std::uint32_t stream, std::int64_t batch, std::int64_t token, int head) {
  return {static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32) | (stream << 28),
          static_cast<std::uint32_t>(batch), static_cast<std::uint32_t>(head) << 8};
}

void round_all(DType dtype, std::span<float> values) {
  with_type(dtype, [&](auto type) {
    for (float& value : values) value = to_float(from_float<decltype(type)>(value));
  });
}

/// Expected lse of `keys` logits that are normal with this standard deviation (the free energy of Derrida's random
/// energy model): beyond sqrt(2 ln keys) the largest logit decides.
double expected_lse(double keys, double deviation) {
  const double limit = std::sqrt(2 * std::log(keys));
  return deviation < limit ? std::log(keys) + deviation * deviation / 2 : deviation * limit;
}

}  // namespace

std::string_view name_of(InputKind kind) { return name_in(kKinds, kind); }
InputKind parse_input(std::string_view name) { return parse_in(kKinds, "input", name); }
std::string_view name_of(Tensor tensor) { return name_in(kTensors, tensor); }

int Inputs::heads_of(Tensor tensor) const {
  return tensor == Tensor::kK || tensor == Tensor::kV ? problem_.kv_heads : problem_.heads;
}

int Inputs::dim_of(Tensor tensor) const {
  if (tensor == Tensor::kSink) return 1;
  return tensor == Tensor::kQ || tensor == Tensor::kK ? problem_.head_dim : problem_.head_dim_v;
}

double Inputs::scale_of(Tensor tensor) const {
  const bool makes_logits = tensor == Tensor::kQ || tensor == Tensor::kK;
  return kind_ == InputKind::kLargeLogits && makes_logits ? kLargeLogitsScale : 1;
}

int Inputs::outliers() const { return std::max(1, problem_.head_dim / 100); }

double Inputs::rms_of(Tensor tensor) const {
  if (kind_ == InputKind::kConstant) return kConstant;
  if (kind_ == InputKind::kOutlier && tensor == Tensor::kK) {
    const double share = static_cast<double>(outliers()) / problem_.head_dim;
    return std::sqrt(1 - share + share * kOutlierScale * kOutlierScale);
  }
  return scale_of(tensor);
}

void Inputs::row(Tensor tensor, std::int64_t batch, std::int64_t token, int head, std::span<float> values) const {
  if (kind_ == InputKind::kConstant) {
    std::fill(values.begin(), values.end(), kConstant);
    return;
  }
  standard_normals(seed_, counter_of(static_cast<std::uint32_t>(tensor), batch, token, head), values);
  if (const double scale = scale_of(tensor); scale != 1) {
    for (float& value : values) value *= static_cast<float>(scale);
  }
  if (kind_ == InputKind::kOutlier && tensor == Tensor::kK) enlarge_outliers(head, values);
  round_all(problem_.dtype, values);
  if (kind_ == InputKind::kNan && tensor == Tensor::kK && batch == 0 && head == kNanHead && token == nan_token()) {
    values[0] = std::numeric_limits<float>::quiet_NaN();
  }
}

void Inputs::enlarge_outliers(int head, std::span<float> values) const {
  // Channels of a head stay the same from token to token; equal steps keep them distinct.
  const std::size_t first = random_bits(seed_, counter_of(kOutlierStream, 0, 0, head))[0] % values.size();
  const auto count = static_cast<std::size_t>(outliers());
  for (std::size_t i = 0; i < count; ++i)
    values[(first + i * (values.size() / count)) % values.size()] *= kOutlierScale;
}

float Inputs::sink(int head) const {
  const std::int64_t middle = problem_.seq_len / 2;
  const auto keys = static_cast<double>(problem_.keys_of(middle).count());
  const double product = problem_.head_dim * problem_.scale;
  if (kind_ == InputKind::kConstant) return static_cast<float>(std::log(keys) + product * kConstant * kConstant);
  std::array<float, 4> normals;
  standard_normals(seed_, counter_of(static_cast<std::uint32_t>(Tensor::kSink), 0, 0, head), normals);
  const double deviation = std::abs(product) / std::sqrt(problem_.head_dim) * rms_of(Tensor::kQ) * rms_of(Tensor::kK);
  return static_cast<float>(expected_lse(keys, deviation) + kSinkDeviation * normals[0]);
}

void Inputs::fill(const TensorView& view, Tensor tensor, const Tokens& tokens, int threads) const {
  const std::vector<std::int64_t> token_of = expand(tokens);
  const auto rows = static_cast<std::int64_t>(token_of.size());
  with_type(view.dtype, [&](auto type) {
    using Stored = decltype(type);
    on_threads(threads, static_cast<std::size_t>(view.batch) * token_of.size(), [&](std::size_t i) {
      const std::int64_t b = static_cast<std::int64_t>(i) / rows, r = static_cast<std::int64_t>(i) % rows;
      std::vector<float> values(static_cast<std::size_t>(view.dim));
      for (std::int64_t h = 0; h < view.heads; ++h) {
        row(tensor, b, token_of[static_cast<std::size_t>(r)], static_cast<int>(h), values);
        std::transform(values.begin(), values.end(), view.at<Stored>(b, r, h), from_float<Stored>);
      }
    });
  });
}

void Inputs::fill(const BufferView& view, Role role, const Tokens& tokens, int threads) const {
  switch (role) {
    case Role::kQ:
      return fill(view.first, Tensor::kQ, tokens, threads);
    case Role::kKv:
      fill(view.first, Tensor::kK, tokens, threads);
      return fill(view.second, Tensor::kV, tokens, threads);
    case Role::kDout:
      return fill(view.first, Tensor::kDout, tokens, threads);
    case Role::kSink:
      return fill_sinks({view.first.at<float>(0, 0, 0), static_cast<std::size_t>(view.first.heads)});
    default:
      throw std::logic_error("inputs were to be written into a buffer of no input");
  }
}

void Inputs::fill_sinks(std::span<float> sinks) const {
  for (std::size_t h = 0; h < sinks.size(); ++h) sinks[h] = sink(static_cast<int>(h));
}

}  // namespace cpbench
