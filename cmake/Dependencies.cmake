# Every dependency is found here, and a missing one is named with what installs it. docs/dependencies.md says what each is for.
function(cpbench_missing what debian_package)
  message(FATAL_ERROR "${what} was not found. On Debian and Ubuntu: apt-get install ${debian_package}, or `make setup` for "
                      "everything; elsewhere install it and point CMAKE_PREFIX_PATH to it.")
endfunction()

# cpbench_require(fmt libfmt-dev CONFIG): what follows the Debian package goes to find_package.
macro(cpbench_require package debian_package)
  find_package(${package} QUIET ${ARGN})
  if(NOT ${package}_FOUND)
    cpbench_missing(${package} ${debian_package})
  endif()
endmacro()

find_package(Threads REQUIRED)
cpbench_require(OpenMP g++ COMPONENTS CXX)
include(Mpi)
cpbench_require(fmt libfmt-dev CONFIG)
cpbench_require(CLI11 libcli11-dev CONFIG)
cpbench_require(nlohmann_json nlohmann-json3-dev CONFIG)
cpbench_require(hwy libhwy-dev CONFIG)
cpbench_require(OpenSSL libssl-dev COMPONENTS Crypto)

# Random123 is headers only and has no CMake package.
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h)
mark_as_advanced(RANDOM123_INCLUDE_DIR)
if(NOT RANDOM123_INCLUDE_DIR)
  cpbench_missing(Random123 librandom123-dev)
endif()
add_library(Random123::Random123 INTERFACE IMPORTED)
target_include_directories(Random123::Random123 SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR})

if(CPBENCH_BUILD_TESTS)
  cpbench_require(GTest libgtest-dev)
endif()
