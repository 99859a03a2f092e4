# Finds MPI::MPI_CXX and CPBENCH_MPIEXEC, the launcher that belongs to it.
#
# Debian keeps Open MPI and MPICH side by side, and `mpicxx` and `mpiexec` are whichever update-alternatives points to. So where
# nobody named a compiler, the first directory of the search path that has one decides (a loaded environment module comes
# first), and within it mpicxx.openmpi goes before mpicxx. Another MPI, in a build directory of its own:
#   cmake -B build-mpich -DMPI_CXX_COMPILER=mpicxx.mpich
find_program(MPI_CXX_COMPILER NAMES mpicxx.openmpi mpicxx NAMES_PER_DIR HINTS ${MPI_HOME} ENV MPI_HOME PATH_SUFFIXES bin)
set(MPI_CXX_SKIP_MPICXX ON CACHE BOOL "Leave out the C++ bindings that MPI 3 removed")
cpbench_require(MPI libopenmpi-dev COMPONENTS CXX)

# FindMPI's own MPIEXEC_EXECUTABLE is whatever `mpiexec` is first on the path: the other MPI's launcher starts N worlds of one rank.
include(CheckCXXSymbolExists)
set(CMAKE_REQUIRED_LIBRARIES MPI::MPI_CXX)
check_cxx_symbol_exists(OPEN_MPI mpi.h CPBENCH_MPI_IS_OPEN_MPI)
unset(CMAKE_REQUIRED_LIBRARIES)
if(CPBENCH_MPI_IS_OPEN_MPI)
  set(suffix openmpi)
else()
  set(suffix mpich)
endif()
cmake_path(GET MPI_CXX_COMPILER PARENT_PATH bin)
find_program(CPBENCH_MPIEXEC NAMES mpiexec.${suffix} mpiexec mpirun NAMES_PER_DIR HINTS ${bin}
             DOC "Launcher of the MPI that the program is built with")
if(NOT CPBENCH_MPIEXEC)
  cpbench_missing("The launcher of ${MPI_CXX_COMPILER} (mpiexec)" openmpi-bin)
endif()
message(STATUS "MPI: ${MPI_CXX_COMPILER}, launched by ${CPBENCH_MPIEXEC}")

# scripts/launch.sh looks for this file above the program that it starts.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/mpiexec.txt CONTENT "${CPBENCH_MPIEXEC}\n")
