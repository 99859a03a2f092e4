#include "result/doctor.hpp"

#include "result/links.hpp"
#include "result/peaks.hpp"

namespace cpbench {
Json json_of(const DoctorRecord& record) {
  Json json = json_of(record.header);
  json["schema"] = {{"name", "cpbench.doctor"}, {"version", kDoctorVersion}};
  json["threads"] = record.threads;
  json["devices"] = {{"backend", record.backend}, {"kernels", record.kernels}, {"isas", record.isas}};
  if (!record.peaks.empty()) json["peaks"] = json_of(record.peaks);
  if (record.links) json["links"] = json_of(*record.links, record.transport);
  json["findings"] = Json::array();
  for (const Finding& finding : record.findings) {
    json["findings"].push_back({{"kind", name_of(finding.kind)}, {"text", finding.text}});
  }
  json["complete"] = record.complete;
  json["exit_code"] = record.complete ? Json(record.exit_code) : Json(nullptr);
  return json;
}

}  // namespace cpbench
