# Finds LibTorch as the Python wheel `torch` ships it, with or without its CUDA libraries.
#
#   LibTorch::cpu    libtorch_cpu and libc10: all that training on a CPU needs
#   LibTorch::cuda   the same with the CUDA backend
#   LibTorch_VERSION, LibTorch_DIR_FOUND
#
# Why not the wheel's own find_package(Torch): it insists on a CUDA toolkit even for programs that
# never touch a GPU. Looked at, in this order: what the project has found already, by find_package(Torch)
# or as targets of its own (LibTorchOfProject.cmake); -DTBN_LIBTORCH=<folder> (a virtual environment, a
# `torch` folder in one, or an unpacked LibTorch); what scripts/setup.sh put into the cache.

set(TBN_LIBTORCH "" CACHE PATH "LibTorch: a virtual environment with torch, or a torch folder")
set(LibTorch_REQUIRED_VERSION 2.11)

# tbn_libtorch_version(<include folder of LibTorch> <variable>): "2.11.0", or "" where no header says it.
function(tbn_libtorch_version include variable)
  set(version "")
  foreach(header headeronly/version.h csrc/api/include/torch/version.h)
    set(header "${include}/torch/${header}")
    if(NOT version AND EXISTS "${header}")
      file(STRINGS "${header}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
      list(TRANSFORM lines REPLACE ".*_(MAJOR|MINOR|PATCH) +([0-9]+).*" "\\2")
      list(JOIN lines "." version)
    endif()
  endforeach()
  set(${variable} "${version}" PARENT_SCOPE)
endfunction()

if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(_libtorch_cache "$ENV{XDG_CACHE_HOME}/tbn")
else()
  set(_libtorch_cache "$ENV{HOME}/.cache/tbn")
endif()
set(_libtorch_cuda_cache "${_libtorch_cache}/libtorch-2.11.0-cuda")
if(TBN_LIBTORCH)
  set(_libtorch_roots "${TBN_LIBTORCH}")
elseif(TBN_TRAIN_CUDA)
  set(_libtorch_roots "${_libtorch_cuda_cache}")
else()
  set(_libtorch_roots "${_libtorch_cache}/libtorch-2.11.0-cpu" "${_libtorch_cuda_cache}")
endif()

include("${CMAKE_CURRENT_LIST_DIR}/LibTorchOfProject.cmake")
if(_libtorch_given)
  set(_libtorch_roots "")
endif()
foreach(_root IN LISTS _libtorch_roots)
  file(GLOB _inside_venv LIST_DIRECTORIES true "${_root}/lib/python3*/site-packages/torch")
  foreach(_candidate IN LISTS _inside_venv _root)
    if(NOT LibTorch_DIR_FOUND AND EXISTS "${_candidate}/lib/libtorch_cpu.so"
       AND EXISTS "${_candidate}/include/torch/csrc/api/include/torch/torch.h")
      set(LibTorch_DIR_FOUND "${_candidate}")
    endif()
  endforeach()
endforeach()

if(_libtorch_given)
  # Whether it will do was looked at above.
elseif(NOT LibTorch_DIR_FOUND)
  list(JOIN _libtorch_roots "', '" _libtorch_places)
  set(_libtorch_reason "LibTorch is not in '${_libtorch_places}'. Run scripts/setup.sh, which \
installs LibTorch ${LibTorch_REQUIRED_VERSION} there (scripts/setup.sh --cuda for the one with \
CUDA), or name a folder of your own with -DTBN_LIBTORCH=<folder>, or build without the trainer \
with -DTBN_TRAIN=OFF.")
else()
  tbn_libtorch_version("${LibTorch_DIR_FOUND}/include" LibTorch_VERSION)
  if(NOT LibTorch_VERSION MATCHES "^2\\.11(\\.|$)")
    set(_libtorch_reason "'${LibTorch_DIR_FOUND}' holds LibTorch '${LibTorch_VERSION}', and tbn \
is written for ${LibTorch_REQUIRED_VERSION}, whose internal interfaces it uses. Run \
scripts/setup.sh, which installs that one, and leave out -DTBN_LIBTORCH.")
  elseif(TBN_TRAIN_CUDA AND NOT EXISTS "${LibTorch_DIR_FOUND}/lib/libtorch_cuda.so")
    set(_libtorch_reason "TBN_TRAIN_CUDA is on, but '${LibTorch_DIR_FOUND}' has no libtorch_cuda.so. \
Run scripts/setup.sh --cuda.")
  endif()
endif()

if(NOT _libtorch_reason AND NOT _libtorch_given)
  set(LibTorch_cpu_FOUND TRUE)
  set(_lib "${LibTorch_DIR_FOUND}/lib")
  get_filename_component(_nvidia "${LibTorch_DIR_FOUND}/../nvidia" ABSOLUTE)
  if(NOT TARGET LibTorch::cpu)
    add_library(LibTorch::c10 SHARED IMPORTED)
    set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION "${_lib}/libc10.so")
    add_library(LibTorch::cpu SHARED IMPORTED)
    set_target_properties(LibTorch::cpu PROPERTIES IMPORTED_LOCATION "${_lib}/libtorch_cpu.so")
    target_include_directories(LibTorch::cpu SYSTEM INTERFACE
      "${LibTorch_DIR_FOUND}/include" "${LibTorch_DIR_FOUND}/include/torch/csrc/api/include")
    target_link_libraries(LibTorch::cpu INTERFACE LibTorch::c10)
  endif()
  # cuDNN is only in the full set-up: the small one has libtorch_cuda.so, but cannot load it.
  if(EXISTS "${_lib}/libtorch_cuda.so"
     AND (NOT EXISTS "${_nvidia}" OR EXISTS "${_nvidia}/cudnn/lib"))
    set(LibTorch_cuda_FOUND TRUE)
    if(NOT TARGET LibTorch::cuda)
      add_library(LibTorch::c10_cuda SHARED IMPORTED)
      set_target_properties(LibTorch::c10_cuda PROPERTIES
        IMPORTED_LOCATION "${_lib}/libc10_cuda.so")
      add_library(LibTorch::cuda INTERFACE IMPORTED)
      # The CUDA backend registers itself when loaded; nothing names its symbols.
      # Kernels of our own launch through the run-time library that LibTorch has loaded.
      file(GLOB _cudart "${_nvidia}/cu13/lib/libcudart.so.*" "${_lib}/libcudart*.so.*")
      target_link_libraries(LibTorch::cuda INTERFACE LibTorch::cpu LibTorch::c10_cuda ${_cudart}
        "-Wl,--push-state,--no-as-needed,${_lib}/libtorch_cuda.so,--pop-state")
      target_compile_definitions(LibTorch::cuda INTERFACE TBN_WITH_CUDA)
      if(EXISTS "${_nvidia}/cu13/include")
        target_include_directories(LibTorch::cuda SYSTEM INTERFACE "${_nvidia}/cu13/include")
      endif()
    endif()
  elseif(TBN_TRAIN_CUDA)
    set(_libtorch_reason "TBN_TRAIN_CUDA is on, but '${LibTorch_DIR_FOUND}' is the small LibTorch \
without CUDA's libraries. Run scripts/setup.sh --cuda.")
  endif()
endif()

include(FindPackageHandleStandardArgs)
if(_libtorch_reason AND LibTorch_FIND_REQUIRED)
  message(FATAL_ERROR "${_libtorch_reason}")
endif()
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_DIR_FOUND
  VERSION_VAR LibTorch_VERSION HANDLE_COMPONENTS REASON_FAILURE_MESSAGE "${_libtorch_reason}")
