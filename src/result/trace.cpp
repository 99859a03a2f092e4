#include "result/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "result/file.hpp"
#include "result/json.hpp"

namespace cpbench {
namespace {

/// What the viewer shows of an operation that is selected.
Json arguments_of(const Program& program, const Op& op, int rank, std::int64_t batch) {
  Json arguments = {{"pass", op.backward ? "bwd" : "fwd"}};
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
int thread_of(int rank, int stream) { return process_of(rank) * 10 + stream; }

/// Trace events count microseconds; three decimals keep the nanoseconds.
double microseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

Json metadata(const char* what, int rank, int stream, const char* key, Json value) {
  return {{"name", what},
          {"ph", "M"},
          {"pid", process_of(rank)},
          {"tid", thread_of(rank, stream)},
          {"args", {{key, std::move(value)}}}};
}

class EventWriter {
 public:
  explicit EventWriter(std::string title) : title_(std::move(title)) {}

  void add(const Json& source, std::int64_t origin_ns) {
    const int rank = source["rank"];
    const std::int64_t shift = source["clock_offset_ns"].get<std::int64_t>() + origin_ns;
    name_tracks(rank, source["host"]);
    for (const Json& event : source["events"]) {
      const std::int64_t begin = event["begin_ns"], end = event["end_ns"];
      append({{"name", event["name"]},
              {"cat", event["kind"]},
              {"ph", "X"},
              {"pid", process_of(rank)},
              {"tid", thread_of(rank, event["stream"])},
              {"ts", microseconds(begin - shift)},
              {"dur", microseconds(end - begin)},
              {"args", event["args"]}});
    }
    clocks_.push_back(
        {{"rank", rank}, {"offset_ns", source["clock_offset_ns"]}, {"residual_ns", source["clock_residual_ns"]}});
  }

  std::string finish() {
    const Json other = {
        {"title", title_}, {"clock", "rank 0's; residual_ns bounds the error of alignment"}, {"ranks", clocks_}};
    return fmt::format("{{\"displayTimeUnit\":\"ns\",\"otherData\":{},\n\"traceEvents\":[\n{}\n]}}\n", text_of(other),
                       events_);
  }

 private:
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
  Json clocks_ = Json::array();
  std::string events_;
};

/// On rank 0's clock.
std::int64_t first_begin_ns(const std::vector<Json>& sources) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const Json& source : sources) {
    for (const Json& event : source["events"]) {
      first = std::min(first, event["begin_ns"].get<std::int64_t>() - source["clock_offset_ns"].get<std::int64_t>());
    }
  }
  return first;
}

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
  }
  return text_of({{"rank", source.rank},
                  {"host", source.host},
                  {"clock_offset_ns", source.clock.offset_ns},
                  {"clock_residual_ns", source.clock.residual_ns},
                  {"events", events}});
}

void write_trace(const std::string& path, const std::vector<std::string>& ranks, const std::string& title,
                 bool overwrite) {
  std::vector<Json> sources;
  for (const std::string& text : ranks) sources.push_back(Json::parse(text));
  const std::int64_t origin_ns = first_begin_ns(sources);
  EventWriter writer(title);
  for (const Json& source : sources) writer.add(source, origin_ns);
  write_atomically(path, writer.finish(), overwrite);
}

}  // namespace cpbench
