# The trainer's own kernels, by nvcc: an object library that sees no LibTorch. Without TBN_TRAIN_CUDA,
# where they are only compiled, a machine that cannot is let go.

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90-real;90-virtual")
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER AND NOT TBN_TRAIN_CUDA)
  return()
elseif(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "TBN_TRAIN_CUDA is on, but no nvcc was found: install the CUDA Toolkit (13.0 is \
tested) and have nvcc on the PATH or in CUDACXX, or leave the option out")
endif()
enable_language(CUDA)
# CMake 3.25 does not know that nvcc speaks C++20.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
file(GLOB kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/train/tiled/gpu/*.cu")
add_library(tbn_train_kernels OBJECT ${kernels})
set_target_properties(tbn_train_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(tbn_train_kernels PRIVATE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(tbn_train_kernels PRIVATE -Xcompiler=-Wall,-Wextra
  $<$<BOOL:${TBN_WERROR}>:-Werror=all-warnings>)
