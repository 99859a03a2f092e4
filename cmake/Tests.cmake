# Python for the tests that need python3-jsonschema: the system's, for which the package is installed, before any other.
find_program(CPBENCH_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(CPBENCH_PYTHON python3)

# What MPI and its libraries keep until the process ends is not ours to free.
set(CPBENCH_TEST_ENVIRONMENT "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0"
                             "UBSAN_OPTIONS=print_stacktrace=1"
                             "ASAN_OPTIONS=allocator_may_return_null=1")

# Builds what the tests of label `mpi` start: a second MPI is tested without building the rest.
add_custom_target(cpbench_mpi_tests)

# cpbench_test(tile_test SOURCES tile_test.cpp DEPENDS shard [SHARDS 4]): a GoogleTest program, run as one ctest, or its cases
# dealt to SHARDS of them that run side by side.
function(cpbench_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "SHARDS" "SOURCES;DEPENDS")
  cpbench_test_program(${name} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS})
  if(NOT ARG_SHARDS)
    cpbench_add_test(${name} TIMEOUT 900 COMMAND ${name})
    return()
  endif()
  math(EXPR last "${ARG_SHARDS} - 1")
  foreach(shard RANGE ${last})
    cpbench_add_test(${name}.${shard} TIMEOUT 900 COMMAND ${name}
                     ENVIRONMENT GTEST_TOTAL_SHARDS=${ARG_SHARDS} GTEST_SHARD_INDEX=${shard})
  endforeach()
endfunction()

# cpbench_test_program(mpi_transport_test SOURCES … DEPENDS …): a GoogleTest program that cpbench_mpi_test starts. One with a main
# of its own is linked with that, for the linker takes gtest_main only where it is missing.
function(cpbench_test_program name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPENDS")
  add_executable(${name} ${ARG_SOURCES})
  cpbench_link(${name} PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/test)
  cpbench_optimize_for_build_time(${name})
endfunction()

# cpbench_mpi_test(ring_on_mpi RANKS 4 COMMAND cpbench run --algo ring …): a target or a program under the launcher of its MPI.
function(cpbench_mpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "RANKS" "COMMAND")
  list(POP_FRONT ARG_COMMAND program)
  if(TARGET ${program})
    add_dependencies(cpbench_mpi_tests ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  cpbench_add_test(${name} TIMEOUT 120 PROCESSORS ${ARG_RANKS} LABELS mpi
                   COMMAND ${PROJECT_SOURCE_DIR}/scripts/launch.sh ${ARG_RANKS} ${program} ${ARG_COMMAND}
                   ENVIRONMENT CPBENCH_MPIEXEC=${CPBENCH_MPIEXEC})
endfunction()

# One ctest. PROCESSORS (1) is what it counts for ctest -j. Those that may take longest start first.
function(cpbench_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "TIMEOUT;PROCESSORS;LABELS" "COMMAND;ENVIRONMENT")
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} COST ${ARG_TIMEOUT} ENVIRONMENT "${CPBENCH_TEST_ENVIRONMENT};${ARG_ENVIRONMENT}")
  if(ARG_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${ARG_PROCESSORS})
  endif()
  if(ARG_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABELS})
  endif()
endfunction()
