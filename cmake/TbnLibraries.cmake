# One library per group of folders, one tool per file of src/app and its folder.

# tbn_add_library(<name> FOLDERS <folder>... [EXCEPT <folder>] [NEEDS <tbn library>...] [LINK <target>...])
# makes the static library tbn_<name>, tbn::<name> to others, of every .cpp and .cu under the folders.
function(tbn_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCEPT" "FOLDERS;NEEDS;LINK")
  list(TRANSFORM arg_FOLDERS PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE folders)
  list(TRANSFORM folders APPEND "/*.cpp" OUTPUT_VARIABLE patterns)
  list(TRANSFORM folders APPEND "/*.cu" OUTPUT_VARIABLE device_patterns)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns} ${device_patterns})
  if(arg_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "/${arg_EXCEPT}/")
  endif()
  add_library(tbn_${name} STATIC ${sources})
  add_library(tbn::${name} ALIAS tbn_${name})
  set_target_properties(tbn_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(tbn_${name} PUBLIC cxx_std_20)
  target_include_directories(tbn_${name}
    PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:include>"
    PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
  list(TRANSFORM arg_NEEDS PREPEND tbn_ OUTPUT_VARIABLE libraries)
  target_link_libraries(tbn_${name} PUBLIC ${libraries} ${arg_LINK})
  tbn_compile_options(tbn_${name})
endfunction()

# tbn_add_c_library() makes libtbn, the C interface for every language, with core and runtime inside: a shared library
# that shows the functions of tbn_c.h and nothing else (tbn::c to others), and an archive for `pkg-config --static`.
function(tbn_add_c_library)
  set(folder "${PROJECT_SOURCE_DIR}/src/runtime")
  # These files once more: in the libraries that C++ programs link, their functions stay hidden.
  file(GLOB interface CONFIGURE_DEPENDS "${folder}/c_*.cpp")
  add_library(tbn_c SHARED ${interface})
  add_library(tbn::c ALIAS tbn_c)
  set(version "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")  # what may differ breaks callers
  set_target_properties(tbn_c PROPERTIES EXPORT_NAME c OUTPUT_NAME tbn VERSION ${PROJECT_VERSION}
    SOVERSION ${version} CXX_VISIBILITY_PRESET default LINK_DEPENDS "${folder}/c_api.map")
  target_include_directories(tbn_c
    PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:include>"
    PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(tbn_c PRIVATE tbn_runtime)
  target_link_options(tbn_c PRIVATE "LINKER:--version-script=${folder}/c_api.map")
  tbn_compile_options(tbn_c)
  add_library(tbn_c_archive STATIC $<TARGET_OBJECTS:tbn_core> $<TARGET_OBJECTS:tbn_runtime>)
  set_target_properties(tbn_c_archive PROPERTIES OUTPUT_NAME tbn LINKER_LANGUAGE CXX)
endfunction()

# tbn_add_tool(<name> [NEEDS <tbn library>...]) makes bin/tbn-<name> of src/app/tbn_<name>.cpp and of
# the .cpp files in the folder src/app/<name>, where there is one.
function(tbn_add_tool name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "NEEDS")
  file(GLOB parts CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/app/${name}/*.cpp")
  add_executable(tbn-${name} "${PROJECT_SOURCE_DIR}/src/app/tbn_${name}.cpp" ${parts})
  target_include_directories(tbn-${name} PRIVATE
    "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
  list(TRANSFORM arg_NEEDS PREPEND tbn_ OUTPUT_VARIABLE libraries)
  target_link_libraries(tbn-${name} PRIVATE ${libraries} tbn_app)
  tbn_compile_options(tbn-${name})
  set_property(GLOBAL APPEND PROPERTY TBN_TOOLS tbn-${name})
endfunction()

# tbn_describe_build(<target> <source>...) tells these sources what they are built from: the version,
# the commit where git can say it, the compiler, LibTorch and CUDA.
function(tbn_describe_build target)
  set(commit unknown)
  find_package(Git QUIET)
  if(GIT_FOUND)
    execute_process(COMMAND "${GIT_EXECUTABLE}" describe --always --dirty --exclude=* --abbrev=12
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE found RESULT_VARIABLE failed
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT failed)
      set(commit "${found}")
    endif()
  endif()
  set(libtorch "built without it")
  if(TBN_TRAIN)
    set(libtorch "${LibTorch_VERSION}")
  endif()
  set(cuda "built without it")
  if(TBN_CUDA)
    set(cuda "${CUDAToolkit_VERSION}")
  endif()
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_DEFINITIONS
    "TBN_VERSION=\"${PROJECT_VERSION}\";TBN_COMMIT=\"${commit}\";TBN_LIBTORCH=\"${libtorch}\";TBN_WITH_CUDA=\"${cuda}\";TBN_COMPILER=\"${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}\"")
endfunction()
