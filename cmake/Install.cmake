# cmake --install: the program (cpbench_program), its configs, and the documents.
include(GNUInstallDirs)
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/cpbench/configs)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
