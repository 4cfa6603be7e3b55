# The language CUDA, and what files with kernels are compiled with.

set(TBN_CUDA_ARCHITECTURES "75-real;80-real;86-real;89-real;90a-real;90-virtual" CACHE STRING
  "Compute capabilities to make code for: the last, virtual one serves newer devices too")
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "${TBN_CUDA_ARCHITECTURES}")
endif()
# As scripts/setup.sh --cuda installs nvcc, unless another is named.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(cache "$ENV{XDG_CACHE_HOME}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache")
  endif()
  file(GLOB installed_nvcc
    "${cache}/tbn/libtorch-2.11.0-cuda/lib/python3*/site-packages/nvidia/cu13/bin/nvcc")
  if(installed_nvcc)
    list(GET installed_nvcc 0 CMAKE_CUDA_COMPILER)
    get_filename_component(CUDAToolkit_ROOT "${CMAKE_CUDA_COMPILER}/../.." ABSOLUTE)
    list(PREPEND CMAKE_PREFIX_PATH "${CUDAToolkit_ROOT}")
  endif()
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "TBN_CUDA is on, but no nvcc was found: run scripts/setup.sh --cuda, or have that \
of a CUDA Toolkit (12.8 or newer, 13.0 is tested) on the PATH or in CUDACXX, or leave the option out")
endif()
enable_language(CUDA)
find_package(CUDAToolkit 12.8 REQUIRED)
# CMake 3.25 does not know that nvcc speaks C++20.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
if(TBN_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# tbn_cuda_options(<target>): warnings of the host's compiler that make sense in what nvcc hands it. Where no
# code is made for 90a ("90" and "native" are not), kernels of Hopper's own instructions are left alone.
function(tbn_cuda_options target)
  if(NOT "${CMAKE_CUDA_ARCHITECTURES}" MATCHES "90a")
    target_compile_definitions(${target} PRIVATE TBN_WITHOUT_SM_90A)
  endif()
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -lineinfo -Xcompiler=-Wall,-Wextra,-Wno-missing-field-initializers>
    $<$<AND:$<BOOL:${TBN_WERROR}>,$<COMPILE_LANGUAGE:CUDA>>:-Werror=all-warnings>)
endfunction()
