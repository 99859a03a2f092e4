# cmake -D ... -P write_version.cmake: fills version.hpp.in. Run by every build, because a commit changes what git says
# but no file that a build looks at. The header is touched only where its text changes.
set(GIT_DESCRIPTION "")
set(GIT_DIRTY false)

# A tarball unpacked inside another project's checkout must not take that project's commit for its own.
find_program(GIT_EXECUTABLE git)
if(GIT_EXECUTABLE AND EXISTS ${SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --tags --long --always --abbrev=40
                  WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE description OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(GIT_DESCRIPTION ${description})
    execute_process(COMMAND ${GIT_EXECUTABLE} status --porcelain --untracked-files=no
                    WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      set(GIT_DIRTY true)
    endif()
  endif()
endif()

configure_file(${CMAKE_CURRENT_LIST_DIR}/version.hpp.in ${OUTPUT} @ONLY)
