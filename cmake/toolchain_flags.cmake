set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the sources, so that a clone in another folder finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
# Any x86-64 with AVX2 runs the program; faster instruction sets are chosen at run time. Contraction is off so that a
# fused multiply-add stands where the source says so: the same row gives the same bytes from every loop it passes.
add_compile_options(-march=x86-64-v3 -ffp-contract=off -Wall -Wextra -Wshadow -Wnon-virtual-dtor
  -Wno-missing-field-initializers)  # parameter structs are filled by designated initializers
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(FATHOM_WERROR)
  add_compile_options(-Werror)
endif()
if(FATHOM_SANITIZE)
  # Null pointers end a run anyway; object sizes and virtual tables cost a fifth of the compile time and find nothing more.
  add_compile_options(-fsanitize=${FATHOM_SANITIZE} -fno-sanitize=null,object-size,vptr -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1 -Wno-shadow)  # names of sources that are compiled together
  add_link_options(-fsanitize=${FATHOM_SANITIZE})
  set(CMAKE_CXX_FLAGS_RELEASE "-O1 -DNDEBUG")
  # Several sources a compiler run: headers are half of the work. So names outside headers are unique within a folder.
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
else()
  add_link_options(-static-libstdc++ -static-libgcc)
endif()
if(FATHOM_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # clang 16 keeps the address of a __thread variable over a coroutine's suspension, after which another thread may run it.
  add_compile_definitions(BOOST_ASIO_DISABLE_THREAD_KEYWORD_EXTENSION)
endif()
if(FATHOM_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "FATHOM_FUZZ needs clang: cmake --preset asan")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
