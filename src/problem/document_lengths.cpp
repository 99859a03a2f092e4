#include "problem/document_lengths.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "problem/documents.hpp"
#include "support/error.hpp"
#include "support/file_contents.hpp"
#include "support/json_text.hpp"
#include "support/number.hpp"
#include "support/split.hpp"

namespace cpbench {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDocuments = std::size_t{1} << 22;

struct Bin {
  std::int64_t low, high;      // lengths low <= length < high
  double share;                // of documents, not normalised
  double cumulated_share = 0;  // of this bin and all shorter ones
};

// "[low,high)"; lengths beyond 2^53 would not be exact in a double.
bool parse_range(std::string_view text, Bin& bin) {
  constexpr std::int64_t kLongest = std::int64_t{1} << 53;
  if (!text.starts_with('[') || !text.ends_with(')')) return false;
  const std::vector<std::string_view> ends = split(text.substr(1, text.size() - 2), ',');
  if (ends.size() != 2) return false;
  const std::optional<std::int64_t> low = integer_in(ends[0]), high = integer_in(ends[1]);
  if (!low || !high || *low < 0 || *high > kLongest) return false;
  bin.low = std::max<std::int64_t>(*low, 1);  // no document is empty
  bin.high = *high;
  return bin.low < bin.high;
}

std::vector<Bin> read_histogram(const std::filesystem::path& file) {
  const json content = parse_json<json>(contents_of(file), file.string());
  if (!content.is_object() || content.empty()) {
    refuse("{}: a histogram is an object that maps \"[low,high)\" to a share", file.string());
  }
  std::vector<Bin> bins;
  for (const auto& [range, share] : content.items()) {
    Bin bin{};
    if (!parse_range(range, bin)) {
      refuse("{}: \"{}\" is not a range \"[low,high)\" of lengths with 0 <= low < high", file.string(), range);
    }
    if (!share.is_number() || share < 0 || !std::isfinite(share.get<double>())) {
      refuse("{}: the share of \"{}\" is {}, not a number >= 0", file.string(), range, share.dump());
    }
    bin.share = share.get<double>();
    bins.push_back(bin);
  }
  std::sort(bins.begin(), bins.end(), [](const Bin& a, const Bin& b) { return a.low < b.low; });
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (i > 0 && bins[i].low < bins[i - 1].high) {
      refuse("{}: the ranges that end at {} and begin at {} overlap", file.string(), bins[i - 1].high, bins[i].low);
    }
    bins[i].cumulated_share = bins[i].share + (i > 0 ? bins[i - 1].cumulated_share : 0);
  }
  const double total = bins.back().cumulated_share;
  if (!(total > 0 && std::isfinite(total))) refuse("{}: the shares sum to {}", file.string(), total);
  return bins;
}

// The random numbers of one document: a function of seed and index alone.
struct Draw {
  std::uint64_t bin, position;

  Draw(std::uint64_t seed, std::uint64_t index) {
    const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
    const auto high = [](std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); };
    constexpr std::uint32_t kStream = 0x646f6373;  // "docs": apart from the tensors' draws of the same seed
    const r123::Philox4x32::ctr_type counter = {{low(index), high(index), kStream, 0}};
    const r123::Philox4x32::key_type key = {{low(seed), high(seed)}};
    const auto words = r123::Philox4x32()(counter, key);
    bin = std::uint64_t{words[1]} << 32 | words[0];
    position = std::uint64_t{words[3]} << 32 | words[2];
  }
};

const Bin& pick_bin(const std::vector<Bin>& bins, std::uint64_t random) {
  const double uniform = static_cast<double>(random >> 11) * 0x1p-53;
  const double target = uniform * bins.back().cumulated_share;
  const auto bin = std::upper_bound(bins.begin(), bins.end(), target, [](double share, const Bin& candidate) {
    return share < candidate.cumulated_share;
  });
  return bin == bins.end() ? bins.back() : *bin;  // the product may round up to the whole
}

std::int64_t uniform_length(const Bin& bin, std::uint64_t random) {
  __extension__ using uint128 = unsigned __int128;
  const auto width = static_cast<std::uint64_t>(bin.high - bin.low);
  return bin.low + static_cast<std::int64_t>((uint128{random} * width) >> 64);
}

// low * (high / low)^u with the bits of `random` as u: each bit picks a half of the range about its geometric mean.
// Square roots, unlike exp and log, are rounded alike by every library.
std::int64_t log_uniform_length(const Bin& bin, std::uint64_t random) {
  auto low = static_cast<double>(bin.low);
  auto high = static_cast<double>(bin.high);
  for (; std::floor(low) != std::ceil(high) - 1; random <<= 1) {
    const double middle = std::sqrt(low * high);
    if (middle <= low || middle >= high) break;
    (random >> 63 ? low : high) = middle;
  }
  return static_cast<std::int64_t>(low);
}

}  // namespace

std::vector<std::int64_t> sample_document_lengths(const std::filesystem::path& histogram, std::int64_t seq_len,
                                                  std::uint64_t seed) {
  const std::vector<Bin> bins = read_histogram(histogram);
  std::vector<std::int64_t> lengths;
  for (std::int64_t missing = Documents::whole(seq_len).seq_len(); missing > 0; missing -= lengths.back()) {
    if (lengths.size() == kMaxDocuments) {
      refuse("seq_len {} holds more than {} documents of {}: shorten it", seq_len, kMaxDocuments, histogram.string());
    }
    const Draw draw(seed, lengths.size());
    const Bin& bin = pick_bin(bins, draw.bin);
    const bool last = &bin == &bins.back();
    const std::int64_t length = last ? log_uniform_length(bin, draw.position) : uniform_length(bin, draw.position);
    lengths.push_back(std::min(length, missing));
  }
  return lengths;
}

}  // namespace cpbench
