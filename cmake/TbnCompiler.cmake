# What every target is compiled with: the language, warnings, sanitizers and the compiler cache.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Executables are compiled as libraries are, so that they can share one precompiled torch header.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE ${CMAKE_CXX_COMPILE_OPTIONS_PIC})
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()

# Headers are known from the compiler's own list (CCACHE_DEPEND), so that no file is preprocessed a
# second time, a quarter of a compilation with LibTorch. ccache refuses precompiled headers unless it may
# ignore time stamps inside them. Its files lie beside LibTorch, outside the clone, and serve every clone:
# paths count from the source folder.
find_program(TBN_CCACHE ccache)
if(TBN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(cache_home "$ENV{XDG_CACHE_HOME}")
  if(NOT cache_home)
    set(cache_home "$ENV{HOME}/.cache")
  endif()
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    "CCACHE_DIR=${cache_home}/tbn/ccache" "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    "${TBN_CCACHE}")
endif()

# Options of our own code only: nothing here reaches whoever links an installed tbn.
function(tbn_compile_options target)
  set(options -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
    # Designated initialisers that leave members at their defaults are how options are written.
    -Wno-missing-field-initializers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # -Wrestrict: GCC 12 sees overlaps in every `"text" + std::string` (its bug 105651).
    # -fpch-preprocess: without it ccache cannot tell one precompiled header from another.
    list(APPEND options -Wno-restrict -fpch-preprocess)
  elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # -Wsign-conversion: a part of -Wconversion in C alone for GCC, and so not asked for here.
    # -Wunknown-pragmas, -Wpass-failed: GCC's hints for loops, which are its own.
    # -fno-pch-timestamp: without it ccache cannot take one precompiled header for another.
    list(APPEND options -Wno-sign-conversion -Wno-unknown-pragmas -Wno-pass-failed
      "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  # No folder of the builder's in what is installed, the release: error texts name their file, those of LibTorch's
  # headers too. Elsewhere the flags would only part the compiler caches of two clones.
  list(APPEND options "$<$<CONFIG:Release>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>")
  if(LibTorch_DIR_FOUND)
    list(APPEND options "$<$<CONFIG:Release>:-fmacro-prefix-map=${LibTorch_DIR_FOUND}/=>")
  endif()
  if(TBN_WERROR)
    list(APPEND options -Werror)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # Data flow warnings of GCC's optimiser are often wrong about inlined strings: shown, not fatal.
      list(APPEND options -Wno-error=array-bounds
        -Wno-error=stringop-overflow -Wno-error=stringop-overread -Wno-error=maybe-uninitialized)
    endif()
  endif()
  if(TBN_SANITIZE)
    list(APPEND options
      -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${options}>")
endfunction()
