#include "links/link_bench.hpp"

#include <algorithm>
#include <tuple>

#include "run/make_ready.hpp"
#include "run/timing.hpp"
#include "support/clock.hpp"

namespace cpbench {
namespace {

constexpr int kFewestRepetitions = 3;
constexpr double kEnoughSeconds = 30;
constexpr std::byte kCleared{0xff};

/// By pattern and repetition: this rank's seconds.
using LinkSamples = std::vector<std::vector<double>>;

int ranks_in(const LinkPattern& pattern, int ranks, int ranks_per_node) {
  int count = 0;
  for (const RankRing& ring : rings_of(pattern.link, ranks, ranks_per_node)) count += static_cast<int>(ring.size());
  return count;
}

MessageTime time_of(std::int64_t bytes, const std::vector<double>& samples) {
  return {.bytes = bytes, .min_s = std::ranges::min(samples), .median_s = median_of(samples)};
}

/// Of what all ranks do at once. An all-to-all is over the ring of all ranks.
std::vector<PatternReport> report_patterns(const Communicator& ranks, const std::vector<LinkPattern>& patterns,
                                           const LinkOptions& options, LinkSamples& samples) {
  std::vector<PatternReport> reports;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const LinkPattern& pattern = patterns[i];
    if (pattern.kind == LinkPattern::Kind::kRoundTrip) continue;
    ranks.max(samples[i]);
    if (reports.empty() || reports.back().link != pattern.link) {
      reports.push_back({pattern.link, ranks_in(pattern, ranks.size(), options.ranks_per_node), {}, {}});
    }
    reports.back().times.push_back(time_of(pattern.bytes, samples[i]));
  }
  for (PatternReport& report : reports) report.figures = figures_of_link(report.times);
  return reports;
}

/// A round trip is timed by whom it begins with, and holds two latencies.
std::vector<PairReport> report_pairs(const Communicator& ranks, const std::vector<LinkPattern>& patterns,
                                     const LinkOptions& options, const LinkSamples& samples) {
  struct PairTime {
    Pair pair;
    MessageTime time;
  };
  std::vector<PairTime> mine;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const auto begins = std::ranges::find(patterns[i].pairs, ranks.rank(), &Pair::a);
    if (begins != patterns[i].pairs.end()) mine.push_back({*begins, time_of(patterns[i].bytes, samples[i])});
  }
  std::map<Pair, std::vector<MessageTime>> times;
  for (const auto& of_rank : ranks.allgatherv(mine)) {
    for (const auto& [pair, time] : of_rank) times[pair].push_back(time);
  }
  std::vector<PairReport> reports;
  for (const auto& [pair, of_pair] : times) {
    reports.push_back(
        {pair, link_between_nodes(pair.a, pair.b, options.ranks_per_node), figures_of_link(of_pair, /*latencies=*/2)});
  }
  return reports;
}

}  // namespace

LinkBench::LinkBench(const Communicator& ranks, const LinkOptions& options)
    : ranks_(ranks),
      options_(options),
      patterns_(link_patterns(options, ranks.size())),
      payload_(bytes_of_link_buffers(options, ranks.size()) / 2 / kLinkWordBytes, ranks.size()) {
  for (const LinkPattern& pattern : patterns_) {
    programs_.push_back(link_program(pattern, options, ranks.rank(), ranks.size()));
  }
}

void LinkBench::allocate(Backend& backend) {
  backend_ = &backend;
  const Program& any = programs_.front().program;
  buffers_.emplace(problem_, any, backend);
  const ProgramMemory memory = buffers_->memory_of(any);
  received_ = memory.buffers[kLinkReceiveBuffer];
  backend.write(memory.buffers[kLinkSendBuffer], payload_.rows_of(ranks_.rank(), 0, any.buffer(kLinkSendBuffer).rows));
}

void LinkBench::prepare(const MakeTransport& make_transport) {
  carried_ = make_transport();
  if (!carried_->is_queued()) emulated_.emplace(*carried_, ranks_.rank(), options_.emulated);
  Transport& transport = emulated_ ? *emulated_ : *carried_;
  for (const LinkProgram& program : programs_)
    executors_.emplace_back(*buffers_, program.program, *backend_, transport);
}

LinkReport LinkBench::measure() {
  std::vector<Executor*> all;
  for (Executor& executor : executors_) all.push_back(&executor);
  LinkReport report{.options = options_, .has_all_pairs = ranks_.size() <= kMostRanksOfAllPairs};
  report.graph_obstacle = make_ready(ranks_, backend_->queues(), all, Pass::kForwardBackward);
  LinkSamples samples = sample();
  report.repetitions = static_cast<int>(samples.front().size());
  report.patterns = report_patterns(ranks_, patterns_, options_, samples);
  report.pairs = report_pairs(ranks_, patterns_, options_, samples);
  report.corruptions = corruptions();
  return report;
}

LinkSamples LinkBench::sample() {
  LinkSamples samples(patterns_.size());
  for (std::size_t pattern = 0; pattern < patterns_.size(); ++pattern) run(pattern);
  const std::int64_t begin = now_ns();
  const auto is_enough = [&] {
    return ranks_.max_over_ranks(static_cast<double>(now_ns() - begin) * 1e-9) > kEnoughSeconds;
  };
  for (int repetition = 0; repetition < options_.repetitions; ++repetition) {
    if (repetition >= kFewestRepetitions && is_enough()) break;
    for (std::size_t pattern = 0; pattern < patterns_.size(); ++pattern) samples[pattern].push_back(run(pattern));
  }
  return samples;
}

/// How long one repeat of the pattern takes this rank, in seconds.
double LinkBench::run(std::size_t pattern) {
  const std::vector<Arrival>& arrivals = programs_[pattern].arrivals;
  for (const Arrival& arrival : arrivals) backend_->fill(place_of(arrival), kCleared);
  ranks_.barrier();
  const std::int64_t begin = now_ns();
  executors_[pattern].run(Pass::kForwardBackward);
  const std::int64_t end = now_ns();
  for (const Arrival& arrival : arrivals) check(arrival);
  return static_cast<double>(end - begin) * 1e-9 / kLinkRepeats;
}

std::span<std::byte> LinkBench::place_of(const Arrival& arrival) const {
  return {received_ + arrival.row * kLinkWordBytes, static_cast<std::size_t>(arrival.rows * kLinkWordBytes)};
}

void LinkBench::check(const Arrival& arrival) {
  std::span<const std::byte> arrived = place_of(arrival);
  if (!backend_->has_host_memory()) {
    copy_.resize(arrived.size());
    backend_->read(copy_, arrived.data());
    arrived = copy_;
  }
  const auto wrong = first_difference(arrived, payload_.rows_of(arrival.from, arrival.sent_row, arrival.rows));
  if (!wrong) return;
  const Pair pair{arrival.from, ranks_.rank()};
  const auto bytes = static_cast<std::int64_t>(arrived.size());
  const Corruption first{.pair = pair, .bytes = bytes, .first_wrong = *wrong, .times = 0};
  Corruption& found = corruptions_.try_emplace({pair, bytes}, first).first->second;
  found.first_wrong = std::min(found.first_wrong, *wrong);
  ++found.times;
}

/// Of all ranks.
std::vector<Corruption> LinkBench::corruptions() const {
  std::vector<Corruption> mine, reports;
  for (const auto& [key, found] : corruptions_) mine.push_back(found);
  for (const auto& of_rank : ranks_.allgatherv(mine)) reports.insert(reports.end(), of_rank.begin(), of_rank.end());
  std::ranges::sort(reports, {}, [](const Corruption& found) { return std::tuple(found.pair, found.bytes); });
  return reports;
}

}  // namespace cpbench
