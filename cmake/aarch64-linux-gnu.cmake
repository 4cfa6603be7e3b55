# Cross-compiles for 64-bit ARM under Linux with Debian's g++-aarch64-linux-gnu; qemu-user runs what
# comes out, as the processor that QEMU_CPU names (by default one with all that it knows).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
find_program(TBN_QEMU NAMES qemu-aarch64 qemu-aarch64-static)
if(TBN_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${TBN_QEMU}" -L /usr/aarch64-linux-gnu)
endif()

# Libraries and headers for ARM alone; programs are this machine's.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
