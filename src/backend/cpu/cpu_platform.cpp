#include "backend/cpu/cpu_backend.hpp"
#include "backend/cpu/peaks.hpp"
#include "backend/platform.hpp"

namespace cpbench {
namespace {

class CpuPlatform : public Platform {
 public:
  std::string name() const override { return "cpu"; }
  std::unique_ptr<Backend> make(const BackendOptions& options) const override {
    return std::make_unique<CpuBackend>(options.kernel, options.threads);
  }
  std::optional<double> peak_flops(DType dtype, const BackendOptions& options) const override {
    return fma_peak_flops(dtype, options.threads);
  }
};

const RegisterPlatform kRegistered(std::make_unique<CpuPlatform>());

}  // namespace
}  // namespace cpbench
