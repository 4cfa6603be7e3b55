# How installed tools and the package's component train find LibTorch. With TBN_INSTALL_LIBTORCH it is installed too
# (component libtorch: 0.6 GB, with CUDA 5), and the prefix can be moved; without, both name the folder where it lies.
# Sets libtorch_in_config: what tbnConfig.cmake says, a path from the prefix or an absolute one.
set(in_a_home OFF)
foreach(folder /home "$ENV{HOME}" "$ENV{XDG_CACHE_HOME}" "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
  if(folder)
    cmake_path(IS_PREFIX folder "${LibTorch_DIR_FOUND}" NORMALIZE inside)
    if(inside)
      set(in_a_home ON)
    endif()
  endif()
endforeach()
option(TBN_INSTALL_LIBTORCH "Install LibTorch too: the default where it lies in a home folder, which others \
cannot read and an installed file should not name" ${in_a_home})

if(NOT TBN_INSTALL_LIBTORCH)
  set(libtorch_in_config "${LibTorch_DIR_FOUND}")
  set(libtorch_rpath "${LibTorch_DIR_FOUND}/lib")
  install(CODE "message(STATUS \"LibTorch is not installed: tools and package find it in \
'${LibTorch_DIR_FOUND}', where it must stay (-DTBN_INSTALL_LIBTORCH=ON installs it)\")" COMPONENT tools)
  return()
endif()

# As it lies in its wheel, whose libraries find those of CUDA beside them.
set(libtorch_folder "${CMAKE_INSTALL_LIBDIR}/tbn/libtorch")
set(libtorch_in_config "${libtorch_folder}/torch")
file(RELATIVE_PATH from_tools "/${CMAKE_INSTALL_BINDIR}" "/${libtorch_folder}")
set(libtorch_rpath "$ORIGIN/${from_tools}/torch/lib")
get_filename_component(site_packages "${LibTorch_DIR_FOUND}/.." ABSOLUTE)
if(TBN_TRAIN_CUDA)
  # Those that LibTorch opens by name are among them: all.
  list(APPEND libtorch_rpath "$ORIGIN/${from_tools}/nvidia/cu13/lib")
  install(DIRECTORY "${LibTorch_DIR_FOUND}/lib" DESTINATION "${libtorch_folder}/torch" COMPONENT libtorch
    FILES_MATCHING PATTERN "*.so*" PATTERN "libtorch_python*" EXCLUDE)
  if(EXISTS "${site_packages}/nvidia")
    install(DIRECTORY "${site_packages}/nvidia" DESTINATION "${libtorch_folder}" COMPONENT libtorch
      FILES_MATCHING PATTERN "*.so*")
  endif()
else()
  # libtorch_cpu and what it needs of the same folders.
  string(CONFIGURE [=[
    file(GET_RUNTIME_DEPENDENCIES LIBRARIES "@LibTorch_DIR_FOUND@/lib/libtorch_cpu.so"
      RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing CONFLICTING_DEPENDENCIES_PREFIX two)
    set(starts "@LibTorch_DIR_FOUND@/lib" "@site_packages@/nvidia")
    set(places "torch/lib" "nvidia")
    foreach(library IN LISTS found ITEMS "@LibTorch_DIR_FOUND@/lib/libtorch_cpu.so")
      get_filename_component(library "${library}" ABSOLUTE)
      foreach(start place IN ZIP_LISTS starts places)
        cmake_path(IS_PREFIX start "${library}" inside)
        if(inside)
          file(RELATIVE_PATH name "${start}" "${library}")
          get_filename_component(place "@libtorch_folder@/${place}/${name}" DIRECTORY)
          file(INSTALL "${library}" DESTINATION "${CMAKE_INSTALL_PREFIX}/${place}" FOLLOW_SYMLINK_CHAIN)
        endif()
      endforeach()
    endforeach()
  ]=] code @ONLY)
  install(CODE "${code}" COMPONENT libtorch)
endif()
install(DIRECTORY "${LibTorch_DIR_FOUND}/include" DESTINATION "${libtorch_folder}/torch" COMPONENT libtorch)
