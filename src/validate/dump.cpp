#include "validate/dump.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/error.hpp"
#include "support/refuse_write.hpp"
#include "validate/npy.hpp"
#include "validate/read_row.hpp"

namespace cpbench {
namespace {

nlohmann::ordered_json bound(std::int64_t reach) {
  return reach == Mask::kUnbounded ? nlohmann::ordered_json() : nlohmann::ordered_json(reach);
}

nlohmann::ordered_json describe(const Inputs& inputs, Pass pass, const ValidationReport& report) {
  const Problem& problem = inputs.problem();
  nlohmann::ordered_json tolerance = nlohmann::ordered_json::object();
  for (const TensorReport& tensor : report.tensors) tolerance[tensor.tensor] = tensor.tolerance;
  return {{"batch", problem.batch},
          {"seq_len", problem.seq_len},
          {"heads", problem.heads},
          {"kv_heads", problem.kv_heads},
          {"head_dim", problem.head_dim},
          {"head_dim_v", problem.head_dim_v},
          {"dtype", name_of(problem.dtype)},
          {"mask", {{"left", bound(problem.mask.left)}, {"right", bound(problem.mask.right)}}},
          {"documents", problem.documents.lengths()},
          {"scale", problem.scale},
          {"sink", problem.sink},
          {"pass", name_of(pass)},
          {"input", name_of(inputs.kind())},
          {"seed", inputs.seed()},
          {"tolerance", tolerance}};
}

class Dump {
 public:
  Dump(const std::filesystem::path& directory, const Inputs& inputs, const Tokens& tokens, const Collective& collective)
      : directory_(directory),
        inputs_(inputs),
        problem_(inputs.problem()),
        own_(expand(tokens)),
        collective_(collective),
        tokens_of_rank_(collective.allgatherv(own_)) {}

  void write_input(Tensor tensor);
  /// Collective: gathers a result, one head of one sequence at a time.
  void write_result(const std::string& name, const TensorView& view, int heads, int dim);
  void write_vector(const std::string& name, std::span<const float> values);
  void write_text(const std::string& name, const std::string& text);
  /// Collective: throws on all ranks if rank 0 has failed.
  void finish();

 private:
  bool writes() const { return collective_.rank() == 0; }
  std::filesystem::path path_of(const std::string& name) const { return directory_ / (name + ".npy"); }
  void close(NpyWriter& writer, const std::string& name) { fail(path_of(name), writer.close()); }

  void fail(const std::filesystem::path& path, int error) {
    if (error == 0 || error_ != 0) return;
    failed_ = path;
    error_ = error;
  }

  const std::filesystem::path& directory_;
  const Inputs& inputs_;
  const Problem& problem_;
  const std::vector<std::int64_t> own_;
  const Collective& collective_;
  const std::vector<std::vector<std::int64_t>> tokens_of_rank_;
  std::filesystem::path failed_;  ///< the first file that could not be written
  int error_ = 0;                 ///< why
};

void Dump::write_input(Tensor tensor) {
  if (!writes()) return;
  const std::string name(name_of(tensor));
  const int heads = inputs_.heads_of(tensor), dim = inputs_.dim_of(tensor);
  NpyWriter writer(path_of(name), std::array<std::int64_t, 4>{problem_.batch, problem_.seq_len, heads, dim});
  std::vector<float> row(static_cast<std::size_t>(dim));
  for (std::int64_t b = 0; b < problem_.batch; ++b) {
    for (std::int64_t token = 0; token < problem_.seq_len; ++token) {
      for (int head = 0; head < heads; ++head) {
        inputs_.row(tensor, b, token, head, row);
        writer.write(row);
      }
    }
  }
  close(writer, name);
}

void Dump::write_result(const std::string& name, const TensorView& view, int heads, int dim) {
  std::vector<std::int64_t> shape = {problem_.batch, problem_.seq_len, heads};
  if (name != "lse") shape.push_back(dim);
  std::optional<NpyWriter> writer;
  if (writes()) writer.emplace(path_of(name), shape);
  const auto width = static_cast<std::size_t>(dim), row_width = static_cast<std::size_t>(heads) * width;
  for (std::int64_t b = 0; b < problem_.batch; ++b) {
    std::vector<float> sequence(writes() ? static_cast<std::size_t>(problem_.seq_len) * row_width : 0);
    for (int head = 0; head < heads; ++head) {
      std::vector<float> own;
      for (std::size_t row = 0; row < own_.size(); ++row) {
        const std::vector<double> values = read_row(view, b, static_cast<std::int64_t>(row), head);
        own.insert(own.end(), values.begin(), values.end());
      }
      const auto parts = collective_.allgatherv(own);
      if (!writes()) continue;
      for (std::size_t rank = 0; rank < parts.size(); ++rank) {
        for (std::size_t row = 0; row < tokens_of_rank_[rank].size(); ++row) {
          const auto token = static_cast<std::size_t>(tokens_of_rank_[rank][row]);
          std::copy_n(parts[rank].data() + row * width, width,
                      sequence.data() + token * row_width + static_cast<std::size_t>(head) * width);
        }
      }
    }
    if (writes()) writer->write(sequence);
  }
  if (writes()) close(*writer, name);
}

void Dump::write_vector(const std::string& name, std::span<const float> values) {
  if (!writes()) return;
  NpyWriter writer(path_of(name), std::array<std::int64_t, 1>{static_cast<std::int64_t>(values.size())});
  writer.write(values);
  close(writer, name);
}

void Dump::write_text(const std::string& name, const std::string& text) {
  if (!writes()) return;
  const std::filesystem::path path = directory_ / name;
  errno = 0;
  std::ofstream file(path);
  file << text << '\n';
  file.close();
  if (file.fail()) fail(path, write_error());
}

void Dump::finish() {
  std::array<double, 1> error = {static_cast<double>(error_)};
  collective_.max(error);
  if (error[0] != 0) refuse_write(failed_.empty() ? directory_ : failed_, static_cast<int>(error[0]));
}

// All that a dump may consist of.
constexpr std::array<const char*, 12> kFiles = {"problem.json", "q.npy",   "k.npy",   "v.npy",
                                                "sink.npy",     "out.npy", "lse.npy", "dout.npy",
                                                "dq.npy",       "dk.npy",  "dv.npy",  "dsink.npy"};

bool is_dump(const std::filesystem::path& directory) { return std::filesystem::exists(directory / kFiles.front()); }

void remove_files(const std::filesystem::path& directory) {
  for (const char* name : kFiles) std::filesystem::remove(directory / name);
}

// The dump of a point, or those of a sweep's points. Files that no dump has stay.
void remove_dumps(const std::filesystem::path& directory) {
  if (is_dump(directory)) remove_files(directory);
  std::vector<std::filesystem::path> points;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.is_directory() && is_dump(entry.path())) points.push_back(entry.path());
  }
  for (const auto& point : points) {
    remove_files(point);
    if (std::filesystem::is_empty(point)) std::filesystem::remove(point);
  }
}

}  // namespace

void prepare_dump(const std::filesystem::path& directory, bool overwrite) try {
  if (std::filesystem::exists(directory) && !std::filesystem::is_directory(directory)) {
    refuse("cannot write a dump to \"{}\": it is not a directory", directory.string());
  }
  std::filesystem::create_directory(directory);
  if (overwrite) {
    remove_dumps(directory);
  } else if (!std::filesystem::is_empty(directory)) {
    refuse("the directory \"{}\" is not empty; pass --overwrite to replace the dump in it, or name another",
           directory.string());
  }
  const std::filesystem::path probe = directory / kFiles.front();
  errno = 0;
  if (!std::ofstream(probe)) refuse_write(probe, write_error());
  std::filesystem::remove(probe);
} catch (const std::filesystem::filesystem_error& error) {
  refuse("cannot write a dump to \"{}\": {}", directory.string(), error.code().message());
}

void dump(const std::filesystem::path& directory, const Inputs& inputs, Pass pass, const Tokens& tokens,
          const LocalResults& results, const ValidationReport& report, const Collective& collective) {
  const Problem& problem = inputs.problem();
  Dump dump(directory, inputs, tokens, collective);
  dump.write_text("problem.json", describe(inputs, pass, report).dump(2));
  for (const Tensor tensor : {Tensor::kQ, Tensor::kK, Tensor::kV}) dump.write_input(tensor);
  std::vector<float> sinks(static_cast<std::size_t>(problem.heads));
  inputs.fill_sinks(sinks);
  if (problem.sink) dump.write_vector("sink", sinks);
  dump.write_result("out", results.out, problem.heads, problem.head_dim_v);
  dump.write_result("lse", results.lse, problem.heads, 1);
  if (pass != Pass::kForward) {
    dump.write_input(Tensor::kDout);
    dump.write_result("dq", results.dq, problem.heads, problem.head_dim);
    dump.write_result("dk", results.dk, problem.kv_heads, problem.head_dim);
    dump.write_result("dv", results.dv, problem.kv_heads, problem.head_dim_v);
    if (problem.sink && collective.rank() == 0) dump.write_vector("dsink", {results.dsink, sinks.size()});
  }
  dump.finish();
}

}  // namespace cpbench
