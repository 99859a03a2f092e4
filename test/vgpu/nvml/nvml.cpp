// NVIDIA's management library as far as it is used, for virtual GPUs: a clock that never changes, a cap on power.
#include <cstring>

extern "C" {
int nvmlInit_v2() { return 0; }
int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  static int only;
  *device = &only;
  constexpr int kNotFound = 6;
  return std::strncmp(uuid, "GPU-", 4) == 0 ? 0 : kNotFound;
}
int nvmlDeviceGetClockInfo(void*, int kind, unsigned* mhz) {
  constexpr int kSm = 1;
  *mhz = kind == kSm ? 1500 : 2600;
  return 0;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 350'000;
  return 0;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long*) {  // as of CUDA 14
  constexpr int kDeprecated = 26;
  return kDeprecated;
}
int nvmlDeviceGetCurrentClocksEventReasons(void*, unsigned long long* reasons) {
  constexpr unsigned long long kIdle = 1, kPowerCap = 4;
  *reasons = kIdle | kPowerCap;
  return 0;
}
}
