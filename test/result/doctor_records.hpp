// Records of `doctor` as files, for tests of what is read of them.
#pragma once

#include <fstream>
#include <string>

#include "result/doctor.hpp"
#include "result/sample_result.hpp"
#include "temporary_file.hpp"

namespace cpbench {

/// Two ranks, of which one has more memory bandwidth and CPU time, and the links of one node: one way is twice as fast
/// as the other.
inline DoctorRecord sample_record() {
  DoctorRecord record{.header = sample_result().header, .backend = "cpu", .transport = "mpi", .complete = true};
  record.peaks = {{{2e12, 4e12, 24e9, 5e9, 1}}, {{2e12, 4e12, 16e9, 5e9, 0.9}}};
  record.links = LinkReport{.options = {.ranks_per_node = 2, .message_bytes = 1 << 20}};
  record.links->patterns = {{Link::kInner, 2, {{8, 2e-6, 2e-6}}, {8e9, 2e-6}}};
  record.links->pairs = {{{0, 1}, Link::kInner, {10e9, 1e-6}}, {{1, 0}, Link::kInner, {20e9, 3e-6}}};
  return record;
}

/// Writes records beneath a directory of its own.
class DoctorRecords {
 public:
  /// Returns the file's path.
  std::string write(const std::string& name, const DoctorRecord& record) const {
    return write_text(name, text_of(json_of(record)));
  }
  std::string write_text(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  /// Four launches of one record, a minute from each other; returns their directory.
  std::string write_four(const std::string& side, DoctorRecord record) const {
    for (int launch = 0; launch < 4; ++launch) {
      record.header.command.started = fmt::format("2026-11-29T12:{:02}:00Z", launch);
      write(fmt::format("{}/{}.json", side, launch), record);
    }
    return directory_.path() / side;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace cpbench
