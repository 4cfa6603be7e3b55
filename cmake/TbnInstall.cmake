# Installs the libraries, headers and tools, and the package that find_package(tbn) reads:
# components core, runtime, c and cuda know nothing of LibTorch, train brings it along. What
# `cmake --install --component` knows: runtime (all that needs no LibTorch), tools, train, libtorch.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/tbn")
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME runtime)

# tbn_install(<component> <export set> <library>...)
function(tbn_install component set)
  list(TRANSFORM ARGN PREPEND tbn_)
  set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME ${component})
  install(TARGETS ${ARGN} EXPORT ${set} DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(EXPORT ${set} NAMESPACE tbn:: DESTINATION "${package_folder}")
endfunction()

tbn_install(runtime tbnCoreTargets core runtime)
tbn_install(runtime tbnCudaTargets cuda)
tbn_install(runtime tbnCTargets c)
install(TARGETS tbn_c_archive ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
file(RELATIVE_PATH prefix_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/tbn.pc.in" "${PROJECT_BINARY_DIR}/tbn.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tbn.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN train.h EXCLUDE)
set(libtorch_in_config "")
if(TBN_TRAIN)
  include(TbnInstallLibTorch)
  tbn_install(train tbnTrainTargets micro data eval config export search train)
  install(FILES "${PROJECT_SOURCE_DIR}/include/tbn/train.h"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tbn" COMPONENT train)
endif()

# The kernels that exported C calls, to be copied beside it.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/src/firmware/"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/tbn/micro" FILES_MATCHING PATTERN "*.c")

get_property(tools GLOBAL PROPERTY TBN_TOOLS)
if(tools)
  foreach(tool IN LISTS tools)
    get_target_property(linked ${tool} LINK_LIBRARIES)
    if(tbn_train IN_LIST linked)
      set_target_properties(${tool} PROPERTIES INSTALL_RPATH "${libtorch_rpath}")
    endif()
  endforeach()
  install(TARGETS ${tools} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tools)
  # Manual pages and completions are what the installed tools say of themselves.
  if(NOT CMAKE_CROSSCOMPILING)
    install(CODE "
      set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
      include(\"${PROJECT_SOURCE_DIR}/cmake/TbnInstallTexts.cmake\")
      tbn_install_texts(\"\${prefix}/${CMAKE_INSTALL_BINDIR}\" \"\${prefix}/${CMAKE_INSTALL_DATADIR}\" ${tools})"
      COMPONENT tools)
  endif()
endif()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tbnConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/tbnConfig.cmake" INSTALL_DESTINATION "${package_folder}"
  PATH_VARS libtorch_in_config)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tbnConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tbnConfig.cmake" "${PROJECT_BINARY_DIR}/tbnConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindSPNG.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/LibTorchOfProject.cmake" DESTINATION "${package_folder}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
