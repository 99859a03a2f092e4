// Attention shapes of published models, for `--model`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

/// One attention layer of a model, and where its numbers are published.
struct Model {
  std::string name;
  int heads, kv_heads, head_dim, head_dim_v;
  std::optional<std::string> mask;  ///< as parse_mask reads it; without one the model says nothing about it
  bool sink = false;
  std::string source;  ///< paper or page that states the numbers
  std::string note;    ///< what the shape leaves out; often empty
};

/// Reads {"models": [{name, heads, kv_heads, head_dim, head_dim_v = head_dim, mask?, sink = false, source, note?},
/// ...]}. Throws a usage error with the JSON pointer of what is wrong.
std::vector<Model> load_models(const std::filesystem::path& file);

/// The model of that name in the shipped models.json; throws a usage error with the nearest known name otherwise.
Model find_model(std::string_view name);

}  // namespace cpbench
