#include "result/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "result/file.hpp"
#include "result/json.hpp"

namespace cpbench {
namespace {

/// What the viewer shows of an operation that is selected.
Json arguments_of(const Program& program, const Op& op, int rank, std::int64_t batch) {
  Json arguments = {{"pass", name_of(op.pass())}};
  if (const auto* exchange = std::get_if<Exchange>(&op.action)) {
    const auto add = [&](const char* peers, const char* bytes, const TransferList& transfers) {
      arguments[peers] = Json::array();
      for (const Transfer& transfer : transfers) arguments[peers].push_back(transfer.peer);
      arguments[bytes] = program.bytes(transfers, rank, batch);
    };
    arguments["link"] = name_of(program.farthest_link(*exchange));
    add("sends_to", "sent_bytes", program.sends(*exchange));
    add("receives_from", "received_bytes", program.receives(*exchange));
  } else if (const auto* attend = std::get_if<Attend>(&op.action)) {
    arguments["tiles"] = attend->tiles.count;
  } else if (const auto* attend_backward = std::get_if<AttendBackward>(&op.action)) {
    arguments["tiles"] = attend_backward->tiles.count;
  }
  return arguments;
}

int process_of(int rank) { return rank + 1; }

/// Distinct over all processes and never equal to a pid, which would make it a main thread in the viewer.
int thread_of(int rank, int stream) {
  constexpr int kMostProcesses = 1'000'000;
  return (stream + 1) * kMostProcesses + process_of(rank);
}

/// Trace events count microseconds; three decimals keep the nanoseconds.
double microseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

Json metadata(const char* what, int rank, int stream, const char* key, Json value) {
  return {{"name", what},
          {"ph", "M"},
          {"pid", process_of(rank)},
          {"tid", thread_of(rank, stream)},
          {"args", {{key, std::move(value)}}}};
}

/// A rank's time in an event, on rank 0's clock.
std::int64_t common_ns(const Json& source, const Json& event, const char* which) {
  return event[which].get<std::int64_t>() - source["clock_offset_ns"].get<std::int64_t>();
}

/// On rank 0's clock.
std::int64_t first_begin_ns(const std::vector<Json>& sources) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const Json& source : sources) {
    for (const Json& event : source["events"]) first = std::min(first, common_ns(source, event, "begin_ns"));
  }
  return first;
}

/// When the exchanges of all ranks began, on rank 0's clock.
class ExchangeStarts {
 public:
  explicit ExchangeStarts(const std::vector<Json>& sources) {
    for (const Json& source : sources) {
      for (const Json& event : source["events"]) {
        if (event.contains("ordinal"))
          begin_ns_[{source["rank"], event["ordinal"]}] = common_ns(source, event, "begin_ns");
      }
    }
  }

  /// When the first message of an exchange of `rank` can have been on its way to or from another: as soon as both sides
  /// had begun. If the other began when this one had ended, the message was buffered, and on its way from the start.
  std::int64_t first_flight_ns(int rank, const Json& exchange, std::int64_t begin_ns, std::int64_t end_ns) const {
    std::int64_t first = end_ns;
    bool alone = true;
    for (const char* peers : {"sends_to", "receives_from"}) {
      for (const int peer : exchange["args"][peers]) {
        const auto start = begin_ns_.find({peer, exchange["ordinal"]});
        if (peer == rank || start == begin_ns_.end()) continue;
        alone = false;
        first = std::min(first, start->second < end_ns ? std::max(begin_ns, start->second) : begin_ns);
      }
    }
    return alone ? begin_ns : first;
  }

 private:
  std::map<std::pair<int, int>, std::int64_t> begin_ns_;  ///< by rank and ordinal
};

class EventWriter {
 public:
  EventWriter(std::string title, const std::vector<Json>& sources)
      : title_(std::move(title)), origin_ns_(first_begin_ns(sources)), starts_(sources) {
    for (const Json& source : sources) add(source);
  }

  std::string finish() {
    const Json other = {
        {"title", title_}, {"clock", "rank 0's; residual_ns bounds the error of alignment"}, {"ranks", clocks_}};
    return fmt::format("{{\"displayTimeUnit\":\"ns\",\"otherData\":{},\n\"traceEvents\":[\n{}\n]}}\n", text_of(other),
                       events_);
  }

 private:
  void add(const Json& source) {
    const int rank = source["rank"];
    name_tracks(rank, source["host"]);
    for (const Json& event : source["events"]) {
      const std::int64_t begin = common_ns(source, event, "begin_ns"), end = common_ns(source, event, "end_ns");
      if (!event.contains("ordinal")) {
        append_bar(rank, event, event["name"], event["kind"], begin, end);
        continue;
      }
      const std::int64_t flight = starts_.first_flight_ns(rank, event, begin, end);
      const std::string name = event["name"];
      if (flight > begin) append_bar(rank, event, "wait: " + name, "wait", begin, flight);
      append_bar(rank, event, name, event["kind"], flight, end);
    }
    clocks_.push_back(
        {{"rank", rank}, {"offset_ns", source["clock_offset_ns"]}, {"residual_ns", source["clock_residual_ns"]}});
  }
  void append_bar(int rank, const Json& event, const std::string& name, const std::string& category,
                  std::int64_t begin_ns, std::int64_t end_ns) {
    append({{"name", name},
            {"cat", category},
            {"ph", "X"},
            {"pid", process_of(rank)},
            {"tid", thread_of(rank, event["stream"])},
            {"ts", microseconds(begin_ns - origin_ns_)},
            {"dur", microseconds(end_ns - begin_ns)},
            {"args", event["args"]}});
  }
  void name_tracks(int rank, const std::string& host) {
    append(metadata("process_name", rank, 0, "name", fmt::format("rank {} {}", rank, host)));
    append(metadata("process_sort_index", rank, 0, "sort_index", rank));
    for (int stream = 0; stream < kStreams; ++stream) {
      append(metadata("thread_name", rank, stream, "name", name_of(static_cast<Stream>(stream))));
      append(metadata("thread_sort_index", rank, stream, "sort_index", stream));
    }
  }
  void append(const Json& event) {
    if (!events_.empty()) events_ += ",\n";
    events_ += text_of(event);
  }

  std::string title_;
  std::int64_t origin_ns_;
  ExchangeStarts starts_;
  Json clocks_ = Json::array();
  std::string events_;
};

}  // namespace

std::string serialize_events(const TraceSource& source, const Program& program, std::int64_t batch,
                             std::span<const Span> spans) {
  Json events = Json::array();
  for (const Span& span : spans) {
    const Op& op = program.ops[static_cast<std::size_t>(span.op)];
    events.push_back({{"name", to_string(op.label)},
                      {"kind", kind_name(op.action)},
                      {"stream", static_cast<int>(op.stream)},
                      {"begin_ns", span.begin_ns},
                      {"end_ns", span.end_ns},
                      {"args", arguments_of(program, op, source.rank, batch)}});
    if (const auto* exchange = std::get_if<Exchange>(&op.action)) events.back()["ordinal"] = exchange->ordinal;
  }
  return text_of({{"rank", source.rank},
                  {"host", source.host},
                  {"clock_offset_ns", source.clock.offset_ns},
                  {"clock_residual_ns", source.clock.residual_ns},
                  {"events", events}});
}

void write_trace(const std::string& path, const std::vector<std::string>& ranks, const std::string& title) {
  std::vector<Json> sources;
  for (const std::string& text : ranks) sources.push_back(Json::parse(text));
  write_atomically(path, EventWriter(title, sources).finish(), /*overwrite=*/true);
}

}  // namespace cpbench
