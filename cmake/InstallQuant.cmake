# Makes find_package(QuantMLIR) work from the install tree.
include(CMakePackageConfigHelpers)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/QuantMLIRConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/QuantMLIRConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/QuantMLIR)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/cmake/QuantMLIRConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/cmake/QuantMLIRConfig.cmake
  ${PROJECT_BINARY_DIR}/cmake/QuantMLIRConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/QuantMLIR)
install(EXPORT QuantMLIRTargets NAMESPACE QuantMLIR::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/QuantMLIR)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/quant
                  ${PROJECT_BINARY_DIR}/include/quant
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc")
