// write_sample_result FILE.json: writes a result with a point of every status as a run does, for schema_test.py.
#include <string>

#include "result/file.hpp"
#include "result/json.hpp"
#include "result/sample_result.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string path = argv[1];
  const cpbench::ResultFile result = cpbench::sample_result();
  cpbench::LineWriter lines(cpbench::lines_path(path), false);
  lines.append(cpbench::text_of(json_of(result.header)));
  for (const cpbench::PointRecord& point : result.points) lines.append(cpbench::text_of(json_of(point)));
  cpbench::write_atomically(path, cpbench::text_of(json_of(result), 2), false);
  return 0;
}
