#include "backend/cpu/cpu_backend.hpp"
#include "backend/platform.hpp"

namespace cpbench {
namespace {

class CpuPlatform : public Platform {
 public:
  std::string name() const override { return "cpu"; }
  std::unique_ptr<Backend> make(const BackendOptions& options) const override {
    return std::make_unique<CpuBackend>(options.kernel, options.threads);
  }
};

const RegisterPlatform kRegistered(std::make_unique<CpuPlatform>());

}  // namespace
}  // namespace cpbench
