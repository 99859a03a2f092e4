#include "problem/models.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "problem/problem.hpp"
#include "support/config_path.hpp"
#include "support/error.hpp"
#include "support/file_contents.hpp"
#include "support/json_text.hpp"
#include "support/names.hpp"
#include "support/naming.hpp"

namespace cpbench {
namespace {

using nlohmann::json;

// One entry of the file, read key by key; `where` is its JSON pointer for messages.
class Entry {
 public:
  Entry(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) refuse("{}: a model is an object, not {}", where_, object_.dump());
    for (const auto& [key, value] : object_.items()) {
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) refuse_unknown("key of " + where_, key, kKeys);
    }
  }

  int count(const char* key) const {
    const json& value = required(key);
    if (!value.is_number_integer() || value < 1 || value > 1 << 20) {
      refuse("{}/{}: {} is not a whole number from 1 to {}", where_, key, value.dump(), 1 << 20);
    }
    return value.get<int>();
  }

  std::string text(const char* key) const {
    const json& value = required(key);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
      refuse("{}/{}: {} is not a text", where_, key, value.dump());
    }
    return value.get<std::string>();
  }

  bool flag(const char* key) const {
    const json& value = required(key);
    if (!value.is_boolean()) refuse("{}/{}: {} is neither true nor false", where_, key, value.dump());
    return value.get<bool>();
  }

  bool has(const char* key) const { return object_.contains(key); }

 private:
  inline static const std::array<std::string, 9> kKeys = {"name", "heads", "kv_heads", "head_dim", "head_dim_v",
                                                          "mask", "sink",  "source",   "note"};

  const json& required(const char* key) const {
    if (!has(key)) refuse("{}: \"{}\" is missing", where_, key);
    return object_[key];
  }

  const json& object_;
  std::string where_;
};

Model read_model(const Entry& entry) {
  Model model;
  model.name = entry.text("name");
  model.heads = entry.count("heads");
  model.kv_heads = entry.count("kv_heads");
  model.head_dim = entry.count("head_dim");
  model.head_dim_v = entry.has("head_dim_v") ? entry.count("head_dim_v") : model.head_dim;
  if (entry.has("mask")) model.mask = entry.text("mask");
  if (entry.has("sink")) model.sink = entry.flag("sink");
  model.source = entry.text("source");
  if (entry.has("note")) model.note = entry.text("note");
  return model;
}

void check_model(const Model& model) {
  Problem problem;
  problem.heads = model.heads;
  problem.kv_heads = model.kv_heads;
  problem.head_dim = model.head_dim;
  problem.head_dim_v = model.head_dim_v;
  check(problem);
  if (model.mask) parse_mask(*model.mask);
}

}  // namespace

std::vector<Model> load_models(const std::filesystem::path& file) {
  const json content = parse_json<json>(contents_of(file), file.string());
  if (!content.is_object() || !content.contains("models") || !content["models"].is_array()) {
    refuse("{}: an object with a list \"models\" is expected", file.string());
  }
  std::vector<Model> models;
  for (const json& object : content["models"]) {
    const std::string where = fmt::format("{}: /models/{}", file.string(), models.size());
    models.push_back(read_model(Entry(object, where)));
    naming(where, [&] { check_model(models.back()); });
  }
  return models;
}

Model find_model(std::string_view name) {
  std::vector<std::string> known;
  for (Model& model : load_models(find_config("models.json"))) {
    if (model.name == name) return std::move(model);
    known.push_back(model.name);
  }
  refuse_unknown("model", name, known);
}

}  // namespace cpbench
