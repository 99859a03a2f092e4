#include "result/table.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "result/sample_result.hpp"

namespace cpbench {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The cells of a line, where no cell has spaces of its own.
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

const TableContext kContext = {.backend = "cpu", .transport = "mpi", .threads = 2};

TEST(Table, FitsATerminal) { EXPECT_LE(Table().width(), 160u); }

TEST(Table, HeaderNamesWhatAllPointsShare) {
  const ResultFile file = sample_result();
  const std::string header = Table().header(file.header, kContext);
  for (const std::string& line : lines_of(header)) EXPECT_EQ(line[0], '#') << line;
  for (const char* part :
       {"cpbench ", "Open MPI v4.1.4", "ranks 2", "hosts 2", "threads per rank 2", "backend cpu", "transport mpi",
        "rank   0 on node1 (local rank 0), cpus 0-3,8: a CPU", "rank   1 on node2", "cp (u x o x i)"}) {
    EXPECT_NE(header.find(part), std::string::npos) << part << " is not in\n" << header;
  }
}

TEST(Table, HeaderNamesTheCaseThatAllPointsShare) {
  TableContext context = kContext;
  EXPECT_EQ(Table().header(sample_result().header, context).find("# case"), std::string::npos) << "none is known";
  context.axes = {{"model", "llama3-8b"}, {"heads", 32}, {"sink", true}, {"docs", {1000, 3096}}};
  const std::string header = Table().header(sample_result().header, context);
  EXPECT_NE(header.find("\n# case: model llama3-8b, heads 32, sink on, docs 1000,3096\n"), std::string::npos) << header;
}

TEST(Table, AxesThatDoNotVaryAreShared) {
  std::vector<nlohmann::ordered_json> cases(3, sample_axes());
  cases[1]["overlap"] = "off";
  cases[1]["mask"] = "full";
  cases[2] = {{"algo", "ring"}, {"heads", 4}};  // unresolved: what it lacks does not vary
  const auto shared = shared_axes_of(cases);
  EXPECT_EQ(shared["kv_heads"], 2);
  EXPECT_EQ(shared["docs"], (nlohmann::ordered_json{500, 509}));
  for (const char* name : {"overlap", "heads", "mask", "algo", "seq_len"}) EXPECT_FALSE(shared.contains(name)) << name;
}

TEST(Table, RowShowsThePointUnderItsColumns) {
  const Table table;
  const std::string row = table.row(sample_ok());
  EXPECT_EQ(words_of(row),
            (std::vector<std::string>{"hybrid", "8", "(2x2x2)", "zigzag", "window:100:0", "1009", "127", "fwd+bwd",
                                      "12.000", "16.7", "10.000", "4.000", "0.0104", "83.3", "10.4", "2.000", "ok"}));
  const std::vector<std::string> heads = lines_of(table.header(sample_result().header, kContext));
  const std::string& names = heads[heads.size() - 2];
  // Numbers end, and texts begin, where the names of their columns do.
  EXPECT_EQ(row.find("hybrid"), names.find("algo"));
  EXPECT_EQ(row.find("fwd+bwd"), names.find("pass"));
  EXPECT_EQ(row.find("12.000") + 6, names.find("time") + 4);
  EXPECT_EQ(row.find("ok"), names.find("check"));
}

TEST(Table, PartsOfItAreForOtherWriters) {
  const Table table({"overlap"});
  TableContext context = kContext;
  context.axes = {{"heads", 32}};
  EXPECT_TRUE(table.header(sample_result().header, context).ends_with(table.heading(context.axes)));
  EXPECT_TRUE(table.heading(context.axes).starts_with("# case: heads 32\n# times: "));
  std::string row = " ";
  for (const auto& column : table.columns())
    row += fmt::format(" {:>{}}", column.cell(sample_ok()), std::abs(column.width));
  EXPECT_EQ(words_of(row), words_of(table.row(sample_ok())));
  EXPECT_EQ(Table::verdict(std::vector{sample_ok()}), (std::vector<std::string>{"points 1: 1 ok", "verdict: PASSED"}));
}

TEST(Table, LargePointsFitTheirColumns) {
  const Table table;
  PointRecord large = sample_invalid();  // FAILED is the widest verdict
  large.axes["algo"] = "double-ring";
  large.axes["shard"] = "zigzag-docs";
  large.axes["cp_size"] = 4096;
  large.axes["ulysses_degree"] = 64;
  large.axes["window_size"] = 8;
  large.axes["seq_len"] = 16777216;
  large.axes["mask"] = "window:4096:128";
  large.timing->full.median_s = 999.999;
  EXPECT_EQ(lines_of(table.row(large))[0].size(), table.width());
  EXPECT_NE(table.row(large).find(" 999999.0 "), std::string::npos);
  EXPECT_EQ(lines_of(table.row(sample_invalid()))[0].size(), table.width());
}

TEST(Table, AWrongResultShowsNoThroughputButItsReason) {
  const std::vector<std::string> lines = lines_of(Table().row(sample_invalid()));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].find("0.0104"), std::string::npos);
  EXPECT_NE(lines[0].find("FAILED"), std::string::npos);
  EXPECT_EQ(lines[1], "#   invalid: out: worst block 0.3 above 0.005");
}

TEST(Table, APointThatDidNotRunShowsWhy) {
  for (Status status : {Status::kSkipped, Status::kFailed, Status::kTimeout, Status::kInterrupted}) {
    const std::vector<std::string> lines = lines_of(Table().row(sample_not_ok(status, "the reason")));
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines[0].find("hybrid"), std::string::npos);
    EXPECT_TRUE(lines[0].ends_with(std::string(name_of(status)) + ": the reason")) << lines[0];
  }
}

TEST(Table, AnImpossibleGridShowsWhatWasAskedFor) {
  PointRecord point = sample_not_ok(Status::kSkipped, "why");
  point.axes["window_size"] = 3;
  EXPECT_NE(Table().row(point).find(" 8 (u=2 w=3) "), std::string::npos);
  point.axes.erase("ulysses_degree");
  EXPECT_NE(Table().row(point).find(" 8 (w=3) "), std::string::npos);
  point.axes.erase("window_size");
  EXPECT_EQ(words_of(Table().row(point))[1], "8");
  point.axes["ulysses_degree"] = point.axes["window_size"] = std::int64_t{1} << 32;  // their product is 2^64
  EXPECT_NE(Table().row(point).find(" 8 (u=4294967296 w=4294967296) "), std::string::npos);
  point.axes.erase("ulysses_degree");
  point.axes.erase("window_size");
  EXPECT_EQ(words_of(Table().row(point))[2], "zigzag");
  point.axes = {{"algo", "hybrid"}};
  EXPECT_EQ(words_of(Table().row(point)),
            (std::vector<std::string>{"hybrid", "-", "-", "-", "-", "-", "-", "skipped:", "why"}));
}

TEST(Table, WithoutMessagesNothingIsExposed) {
  PointRecord point = sample_ok();
  point.comm->bytes_sent_per_rank = 0;
  const std::vector<std::string> words = words_of(Table().row(point));
  EXPECT_EQ(words[words.size() - 2], "-");
}

TEST(Table, OneSampleHasNoSpread) {
  PointRecord point = sample_ok();
  point.timing->full.samples_s = {0.012};
  EXPECT_EQ(words_of(Table().row(point))[9], "-");
}

TEST(Table, UncheckedPointsSayOff) {
  PointRecord point = sample_ok();
  point.validation.reset();
  EXPECT_EQ(words_of(Table().row(point)).back(), "off");
}

TEST(Table, AxesThatVaryGetAColumn) {
  std::vector<nlohmann::ordered_json> cases(3, sample_axes());
  EXPECT_TRUE(extra_axes_of(cases).empty());
  cases[1]["overlap"] = "off";
  cases[1]["algo"] = "ring";
  cases[2] = {{"algo", "ring"}, {"heads", 4}};  // unresolved: what it lacks does not vary
  EXPECT_EQ(extra_axes_of(cases), (std::vector<std::string>{"heads", "overlap"}));
  const Table table({"overlap"});
  EXPECT_NE(table.header(sample_result().header, kContext).find("overlap"), std::string::npos);
  const std::vector<std::string> words = words_of(table.row(sample_ok()));
  EXPECT_EQ(words[8], "on");
}

TEST(Table, FractionsAreRounded) {
  PointRecord point = sample_ok();
  point.axes["scale"] = 0.08838834764831843;
  EXPECT_EQ(words_of(Table({"scale"}).row(point))[8], "0.08839");
}

TEST(Table, ListsOfDocumentsCanBeToldApart) {
  const auto cell = [](const std::vector<int>& lengths) {
    PointRecord point = sample_ok();
    point.axes["docs"] = lengths;
    return words_of(Table({"docs"}).row(point))[8];
  };
  EXPECT_EQ(cell({1000, 3096}), "1000,3096");
  EXPECT_EQ(cell({7}), "7");
  const std::vector<int> many(1000, 100);
  std::vector<int> others = many;
  others[500] = 99;
  others[501] = 101;
  EXPECT_TRUE(cell(many).starts_with("100,100,100,...1000:")) << cell(many);
  EXPECT_LT(cell(many).size(), 30u);
  EXPECT_NE(cell(many), cell(others));
}

TEST(Table, FooterCountsAndJudges) {
  const std::vector<PointRecord> points = sample_result().points;
  const auto footer = [](std::vector<PointRecord> some) { return Table::footer(some); };
  EXPECT_EQ(footer({points[0], points[0], points[2]}), "#\n# points 3: 2 ok, 1 skipped\n# verdict: PASSED\n");
  EXPECT_NE(footer(points).find("1 ok, 1 invalid, 1 skipped, 1 failed, 1 timeout, 1 interrupted"), std::string::npos);
  EXPECT_NE(footer(points).find("verdict: FAILED: 1 invalid"), std::string::npos);
  EXPECT_NE(footer({points[0], points[4]}).find("verdict: FAILED"), std::string::npos);
  EXPECT_NE(footer({points[2]}).find("verdict: NOTHING MEASURED"), std::string::npos);
  EXPECT_EQ(Table::footer(std::vector{points[4]}, 2),
            "#\n# points 3: 1 timeout, 2 not begun\n# verdict: FAILED: some points did not finish\n");
  EXPECT_NE(footer({points[0], points[5]}).find("verdict: FAILED"), std::string::npos);
  EXPECT_EQ(Table::footer(std::vector{points[0]}, 2),
            "#\n# points 3: 1 ok, 2 not begun\n# verdict: FAILED: some points did not finish\n");
  PointRecord unchecked = sample_ok();
  unchecked.validation.reset();
  PointRecord planned = unchecked, impossible = points[2];
  planned.plan = impossible.plan = PlanFigures();
  EXPECT_NE(footer({planned, impossible}).find("points 2: 1 ok, 1 skipped\n# verdict: PROVED\n"), std::string::npos);
  EXPECT_NE(footer({impossible}).find("verdict: NOTHING PROVED"), std::string::npos);
  EXPECT_NE(footer({points[0], unchecked}).find("verdict: NOT CHECKED: 1 of"), std::string::npos);
}

}  // namespace
}  // namespace cpbench
