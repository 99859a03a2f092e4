#include "cli/commands/job_links.hpp"

#include <memory>

#include "cli/commands/together.hpp"
#include "links/link_bench.hpp"
#include "support/doing.hpp"
#include "transport/backoff.hpp"

namespace cpbench {

LinkReport measured_links(const Communicator& world, const Settings& settings, const Placement& placement,
                          const LinkOptions& options) {
  LinkReport report{.options = options};
  if (world.size() == 1) return report;
  set_doing("measuring links");
  Backoff::set_cores_suffice(cores_suffice(world, placement, settings.threads));
  together(world, [&] {
    require_memory(world, settings.device,
                   {.bytes = bytes_of_link_buffers(options, world.size()),
                    .what = "messages",
                    .remedies = {"a smaller --message-bytes"}});
  });
  std::unique_ptr<Backend> backend;
  std::unique_ptr<LinkBench> bench;
  together(world, [&] {
    backend = settings.device.platform->make(settings.backend_options());
    bench = std::make_unique<LinkBench>(world, options);
    bench->allocate(*backend);
  });
  together(world, [&] {
    bench->prepare(
        [&] { return settings.route.make(world, *backend, {.comm_ctas = settings.comm_ctas(world.size())}); });
  });
  together(world, [&] { report = bench->measure(); });
  return report;
}

}  // namespace cpbench
