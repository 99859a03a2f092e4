#include "cli/commands/job_header.hpp"

#include "backend/cpu/isa.hpp"
#include "result/environment.hpp"
#include "result/json.hpp"
#include "result/tool.hpp"
#include "transport/carrier.hpp"
#include "transport/mpi_session.hpp"

namespace cpbench {
namespace {

std::optional<std::string> optional(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

Command command_of(const Job& job, const std::optional<ConfigIdentity>& config) {
  Command command{.argv = job.argv, .config = {}, .sha256 = {}, .started = utc_now()};
  if (config) {
    command.config = config->path;
    command.sha256 = config->sha256;
  }
  return command;
}

Header header_of(const Job& job, const Placement& placement, const DeviceBinding& device,
                 const std::optional<ConfigIdentity>& config) {
  const Json mine = {{"host", placement.host},
                     {"local_rank", placement.local_rank},
                     {"device", device.info ? device.info->name : cpu_name()},
                     {"uuid", device.info ? device.info->uuid : ""},
                     {"isa", device.info ? "" : isa()},
                     {"cpus", format_cpus(placement.cpus)}};
  const std::vector<std::string> all = job.world->gather(text_of(mine));
  Header header{
      .tool = this_tool(), .command = {}, .environment = this_environment(mpi_library_version()), .ranks = {}};
  header.environment.cuda = optional(device.platform->runtime_version());
  header.environment.driver = optional(device.platform->driver_version());
  for (const Carrier* carrier : carriers_for(device.platform->name())) {
    const std::optional<LibraryVersions> nccl = carrier->nccl();
    if (nccl) header.environment.nccl_header = nccl->header, header.environment.nccl_library = nccl->library;
  }
  header.command = command_of(job, config);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const Json json = Json::parse(all[rank]);
    header.ranks.push_back({.rank = static_cast<int>(rank),
                            .host = json["host"].get<std::string>(),
                            .local_rank = json["local_rank"].get<int>(),
                            .device = json["device"].get<std::string>(),
                            .uuid = optional(json["uuid"].get<std::string>()),
                            .isa = optional(json["isa"].get<std::string>()),
                            .cpus = json["cpus"].get<std::string>()});
  }
  return header;
}

}  // namespace cpbench
