#include "result/trace.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "temporary_file.hpp"

namespace cpbench {
namespace {

using Json = nlohmann::json;

/// Sends 4 rows of 2 heads of dim 8 in bf16 (K and V) to `next`, receives as much from `previous`, and attends.
/// A rank that is -1 takes no part.
Program hop_program(int next, int previous) {
  Program program;
  const Buffer kv = {.role = Role::kKv, .dtype = DType::kBf16, .heads = 2, .dim = 8, .dim_v = 8, .rows = 4};
  program.buffers = {kv, kv};
  program.transfers = {{next, program.whole(0)}, {previous, program.whole(1)}};
  program.transfers[0].link = program.transfers[1].link = Link::kOuter;
  program.tiles = {Tile{0, 4, 0, 4, -3, 3}};
  const auto one_with = [](int peer) { return peer < 0 ? 0u : 1u; };
  program.ops = {{.action = Exchange{.ordinal = 0, .sends = {0, one_with(next)}, .receives = {1, one_with(previous)}},
                  .label = {"kv hop", 1},
                  .stream = Stream::kOuter},
                 {.action = AttendBackward{.tiles = {0, 1}},
                  .label = {"attend", 0},
                  .stream = Stream::kCompute,
                  .backward = true}};
  return program;
}

class TraceTest : public testing::Test {
 public:
  /// Name, begin and duration, in microseconds.
  using Bar = std::tuple<std::string, double, double>;
  static std::vector<Bar> bars_of(const Json& trace) {
    std::vector<Bar> bars;
    for (const Json& event : events_of(trace, "X")) bars.emplace_back(event["name"], event["ts"], event["dur"]);
    return bars;
  }

 protected:
  /// Rank 1's clock is 1,000,000 ns ahead. On rank 0's clock its hop begins at 2,500 ns, rank 0's own at 2,000 ns.
  /// Neither sends anything before.
  static Json written_trace() {
    const Program first = hop_program(1, 1), second = hop_program(0, 0);
    const std::vector<Span> first_spans = {{0, 2'000, 5'001}, {1, 2'100, 9'000}};
    const std::vector<Span> second_spans = {{0, 1'002'500, 1'004'000}, {1, 1'003'000, 1'003'000}};
    const TemporaryFile file("");
    write_trace(file.path(),
                {serialize_events({.rank = 0, .host = "node1"}, first, 3, first_spans),
                 serialize_events({.rank = 1, .host = "node2", .clock = {1'000'000, 250}}, second, 3, second_spans)},
                "ring");
    std::ifstream stream(file.path());
    return Json::parse(stream);
  }

  static std::vector<Json> events_of(const Json& trace, const char* phase) {
    std::vector<Json> events;
    for (const Json& event : trace["traceEvents"]) {
      if (event["ph"] == phase) events.push_back(event);
    }
    return events;
  }
};

TEST_F(TraceTest, EveryRankHasATrackForEveryStream) {
  std::map<int, std::string> processes;
  std::map<int, std::set<std::string>> streams;
  std::set<int> threads;
  for (const Json& event : events_of(written_trace(), "M")) {
    if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
    if (event["name"] != "thread_name") continue;
    streams[event["pid"]].insert(event["args"]["name"]);
    EXPECT_TRUE(threads.insert(event["tid"].get<int>()).second) << "a thread of two processes";
  }
  EXPECT_EQ(processes, (std::map<int, std::string>{{1, "rank 0 node1"}, {2, "rank 1 node2"}}));
  const std::set<std::string> all = {"compute", "inner", "outer", "gradient"};
  EXPECT_EQ(streams, (std::map<int, std::set<std::string>>{{1, all}, {2, all}}));
}

TEST_F(TraceTest, NoThreadOfAnyRankHasTheNumberOfAProcess) {
  std::vector<std::string> ranks;
  for (int rank = 0; rank < 100; ++rank) ranks.push_back(serialize_events({.rank = rank}, Program(), 1, {}));
  const TemporaryFile file("");
  write_trace(file.path(), ranks, "many");
  std::ifstream stream(file.path());
  std::set<int> processes, threads;
  for (const Json& event : events_of(Json::parse(stream), "M")) {
    processes.insert(event["pid"].get<int>());
    if (event["name"] != "thread_name") continue;
    EXPECT_TRUE(threads.insert(event["tid"].get<int>()).second) << "a thread of two processes";
  }
  EXPECT_EQ(processes.size(), ranks.size());
  EXPECT_EQ(threads.size(), kStreams * ranks.size());
  for (const int process : processes) EXPECT_FALSE(threads.contains(process)) << process;
}

TEST_F(TraceTest, EventsCarryWhatTheOperationDid) {
  const std::vector<Json> events = events_of(written_trace(), "X");
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[1]["name"], "kv hop 1");
  EXPECT_EQ(events[1]["cat"], "exchange");
  // 3 sequences, 4 rows, 2 heads, K and V of dim 8, 2 bytes each.
  EXPECT_EQ(events[1]["args"], Json::parse(R"({"pass": "fwd", "link": "outer", "sends_to": [1], "sent_bytes": 768,
                                               "receives_from": [1], "received_bytes": 768})"));
  EXPECT_EQ(events[2]["name"], "attend 0");
  EXPECT_EQ(events[2]["args"], Json::parse(R"({"pass": "bwd", "tiles": 1})"));
}

TEST_F(TraceTest, TimesAreOfRankZerosClockFromTheFirstEvent) {
  EXPECT_EQ(bars_of(written_trace()), (std::vector<Bar>{{"wait: kv hop 1", 0.0, 0.5},
                                                        {"kv hop 1", 0.5, 2.501},
                                                        {"attend 0", 0.1, 6.9},
                                                        {"kv hop 1", 0.5, 1.5},
                                                        {"attend 0", 1.0, 0.0}}));
}

/// Rank 0 is ready to receive from 0 to 9 us; rank 1 sends from `begin_ns` on.
std::vector<TraceTest::Bar> bars_of_receiver(std::int64_t begin_ns, std::int64_t end_ns) {
  const std::vector<Span> receives = {{0, 0, 9'000}}, sends = {{0, begin_ns, end_ns}};
  const TemporaryFile file("");
  write_trace(file.path(),
              {serialize_events({.rank = 0}, hop_program(-1, 1), 3, receives),
               serialize_events({.rank = 1}, hop_program(0, -1), 3, sends)},
              "one way");
  std::ifstream stream(file.path());
  return TraceTest::bars_of(Json::parse(stream));
}

TEST_F(TraceTest, AReceiverWaitsUntilItsSenderStarts) {
  EXPECT_EQ(bars_of_receiver(7'000, 9'000),
            (std::vector<Bar>{{"wait: kv hop 1", 0.0, 7.0}, {"kv hop 1", 7.0, 2.0}, {"kv hop 1", 7.0, 2.0}}));
}

TEST_F(TraceTest, AMessageThatWasBufferedWasOnItsWayFromTheStart) {
  EXPECT_EQ(bars_of_receiver(-3'000, -1'000), (std::vector<Bar>{{"kv hop 1", 3.0, 9.0}, {"kv hop 1", 0.0, 2.0}}));
}

TEST_F(TraceTest, AnEventLiesOnTheTrackOfItsStream) {
  const Json trace = written_trace();
  std::map<int, std::string> stream_of_thread;
  for (const Json& event : events_of(trace, "M")) {
    if (event["name"] == "thread_name") stream_of_thread[event["tid"]] = event["args"]["name"];
  }
  for (const Json& event : events_of(trace, "X")) {
    EXPECT_EQ(stream_of_thread[event["tid"]], event["cat"] == "attend-backward" ? "compute" : "outer");
  }
}

TEST_F(TraceTest, StatesHowWellTheClocksAgree) {
  const Json trace = written_trace();
  EXPECT_EQ(trace["otherData"]["title"], "ring");
  EXPECT_EQ(trace["otherData"]["ranks"], Json::parse(R"([{"rank": 0, "offset_ns": 0, "residual_ns": 0},
                            {"rank": 1, "offset_ns": 1000000, "residual_ns": 250}])"));
}

TEST_F(TraceTest, RanksWithoutEventsHaveTheirTracks) {
  const TemporaryFile file("");
  write_trace(file.path(), {serialize_events({.rank = 0, .host = "node1"}, {}, 1, {})}, "nothing");
  std::ifstream stream(file.path());
  const Json trace = Json::parse(stream);
  EXPECT_TRUE(events_of(trace, "X").empty());
  EXPECT_FALSE(events_of(trace, "M").empty());
}

}  // namespace
}  // namespace cpbench
