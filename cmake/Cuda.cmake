# The GPU backend: CPBENCH_CUDA is OFF, AUTO (where a CUDA toolkit is found) or ON (refuse to do without). Off unless asked for: its
# kernels take minutes to compile.
set(CPBENCH_CUDA OFF CACHE STRING "Build the CUDA backend: AUTO, ON, OFF")
set_property(CACHE CPBENCH_CUDA PROPERTY STRINGS AUTO ON OFF)
set(CPBENCH_HAVE_CUDA OFF)
if(NOT CPBENCH_CUDA)
  return()
endif()

include(CheckLanguage)
check_language(CUDA)
find_package(CUDAToolkit 12.5 QUIET)
if(CMAKE_CUDA_COMPILER AND CUDAToolkit_FOUND)
  set(CPBENCH_HAVE_CUDA ON)
  # Each library of kernels says itself which GPUs it is for.
  set(CMAKE_CUDA_ARCHITECTURES OFF)
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has C++20
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  endif()
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
elseif(NOT CPBENCH_CUDA STREQUAL "AUTO")
  message(FATAL_ERROR "No CUDA toolkit 12.5 or later was found: put its nvcc on the PATH, or configure with -DCPBENCH_CUDA=OFF.")
endif()

# The driver that a program of this toolkit needs, by NVIDIA's release notes; empty where they are not known. The file is for
# scripts/bundle.sh.
set(CPBENCH_LEAST_DRIVER "")
if(CPBENCH_HAVE_CUDA)
  if(CUDAToolkit_VERSION_MAJOR EQUAL 12)
    set(CPBENCH_LEAST_DRIVER 525)
  elseif(CUDAToolkit_VERSION_MAJOR EQUAL 13)
    set(CPBENCH_LEAST_DRIVER 580)
  endif()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/cuda.txt CONTENT "${CUDAToolkit_VERSION} ${CPBENCH_LEAST_DRIVER}\n")
endif()

# NCCL, where it is beside the toolkit or where NCCL_ROOT says: linked, so that a build with it needs it to start.
set(CPBENCH_HAVE_NCCL OFF)
if(CPBENCH_HAVE_CUDA)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${NCCL_ROOT} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
  find_library(NCCL_LIBRARY nccl HINTS ${NCCL_ROOT} ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_LIBRARY_ROOT} PATH_SUFFIXES lib)
  mark_as_advanced(NCCL_INCLUDE_DIR NCCL_LIBRARY)
  if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
    set(CPBENCH_HAVE_NCCL ON)
    add_library(NCCL::NCCL UNKNOWN IMPORTED)
    set_target_properties(NCCL::NCCL PROPERTIES
      IMPORTED_LOCATION ${NCCL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${NCCL_INCLUDE_DIR})
  else()
    message(STATUS "NCCL was not found: --transport nccl is left out")
  endif()
endif()

# cuBLAS, which some installations of the toolkit leave out: linked, like NCCL.
set(CPBENCH_HAVE_CUBLAS OFF)
if(CPBENCH_HAVE_CUDA AND TARGET CUDA::cublas)
  set(CPBENCH_HAVE_CUBLAS ON)
elseif(CPBENCH_HAVE_CUDA)
  message(STATUS "cuBLAS was not found: --reference device is left out")
endif()

# For ptxas's two passes one of the compiler, most of whose time is not ptxas. Newer GPUs than Hopper compile the PTX themselves.
set(CPBENCH_EVERY_GPU "arch=compute_80,code=[sm_80,sm_90,compute_80]")

# cpbench_cuda_kernels(NAME SOURCES a.cu GENCODE arch=…,code=…): kernels as objects. What ptxas reports of them is kept beside each
# object, as OBJECT.ptxas.
function(cpbench_cuda_kernels name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;GENCODE")
  add_library(${name} OBJECT ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_GENCODE PREPEND "-gencode=")
  target_compile_options(${name} PRIVATE ${ARG_GENCODE} -Xptxas=-v)
  if(CPBENCH_WARNINGS_AS_ERRORS)
    target_compile_options(${name} PRIVATE -Werror=all-warnings)
  endif()
  set(launchers ${PROJECT_SOURCE_DIR}/cmake/ptxas_report.sh ${CMAKE_CXX_COMPILER_LAUNCHER})  # no ccache must not be an empty word
  set_target_properties(${name} PROPERTIES CUDA_COMPILER_LAUNCHER "${launchers}")
endfunction()
