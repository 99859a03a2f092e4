# cmake --install: the program (cpbench_program), its configs, the scripts that run it or read what it wrote, and the documents.
include(GNUInstallDirs)
set(data ${CMAKE_INSTALL_DATADIR}/cpbench)  # where scripts find configs/, docs/ and each other as in the sources
install(DIRECTORY configs/ DESTINATION ${data}/configs)
install(PROGRAMS scripts/launch.sh scripts/compare_programs.sh scripts/sweep.sbatch scripts/check_dump.py scripts/check_schema.py DESTINATION ${data}/scripts)
install(FILES docs/result.schema.json docs/comparison.schema.json docs/plan.schema.json docs/doctor.schema.json DESTINATION ${data}/docs)
install(FILES ${PROJECT_BINARY_DIR}/mpiexec.txt DESTINATION ${data})  # for scripts/launch.sh
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES README.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
