# One library per room of src/, so that the linker keeps the arrows between rooms (docs/architecture.md).
add_library(cpbench_options INTERFACE)
target_include_directories(cpbench_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
# Members that a designated initialiser leaves out have defaults: that is what it is for.
target_compile_options(cpbench_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees an overlap in `"literal" + std::string` that is not there (GCC bug 105651).
  target_compile_options(cpbench_options INTERFACE -Wno-restrict)
endif()
if(CPBENCH_WARNINGS_AS_ERRORS)
  target_compile_options(cpbench_options INTERFACE -Werror)
endif()
if(CPBENCH_SANITIZE)
  target_compile_options(cpbench_options INTERFACE -fsanitize=${CPBENCH_SANITIZE} -fno-sanitize-recover=all
                                                   -fno-omit-frame-pointer)
  # Checks of every reference take a third of the time to compile, of the micro-kernels' inlined lambdas most of it; the address
  # sanitizer sees bad ones where they are used.
  target_compile_options(cpbench_options INTERFACE -fno-sanitize=null,alignment,object-size)
  # The instrumentation hides initialisations from the optimiser; builds without it have the warning.
  target_compile_options(cpbench_options INTERFACE -Wno-maybe-uninitialized)
  target_link_options(cpbench_options INTERFACE -fsanitize=${CPBENCH_SANITIZE})
endif()

# cpbench_library(problem SOURCES a.cpp b.cpp DEPENDS support fmt::fmt): names without :: are rooms.
function(cpbench_library room)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPENDS")
  add_library(cpbench_${room} STATIC ${ARG_SOURCES})
  cpbench_link(cpbench_${room} PUBLIC ${ARG_DEPENDS})
endfunction()

# cpbench_program(cpbench SOURCES main.cpp DEPENDS cli): a program at the root of the build directory, which is installed.
function(cpbench_program name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPENDS")
  add_executable(${name} ${ARG_SOURCES})
  cpbench_link(${name} PRIVATE ${ARG_DEPENDS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  install(TARGETS ${name})
endfunction()

function(cpbench_link target visibility)
  target_link_libraries(${target} ${visibility} cpbench_options)
  foreach(dependency IN LISTS ARGN)
    if(dependency MATCHES "::")
      target_link_libraries(${target} ${visibility} ${dependency})
    else()
      target_link_libraries(${target} ${visibility} cpbench_${dependency})
    endif()
  endforeach()
endfunction()

# For code that runs once in a while and takes long to compile: command lines, JSON, tests.
function(cpbench_optimize_for_build_time target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
