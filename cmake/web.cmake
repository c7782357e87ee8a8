# fathom_web: the page at "/" (web/ and Debian's libraries) as one constant table, web/assets.h.
enable_language(ASM)
find_program(FATHOM_ESBUILD esbuild)
if(NOT FATHOM_ESBUILD)
  message(FATAL_ERROR "esbuild is missing; run: tools/packages.sh")
endif()
set(web_dir ${CMAKE_BINARY_DIR}/generated/web)
configure_file(${CMAKE_SOURCE_DIR}/cmake/web_assets.h.in ${web_dir}/assets.h COPYONLY)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*)
add_custom_command(
  OUTPUT ${web_dir}/assets.cc ${web_dir}/assets.S
  COMMAND ${CMAKE_SOURCE_DIR}/tools/web_bundle.sh ${web_dir}
  COMMAND ${CMAKE_COMMAND} -DOUT=${web_dir} -DCSP=${CMAKE_SOURCE_DIR}/web/csp.txt
          -P ${CMAKE_SOURCE_DIR}/cmake/web_table.cmake
  DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/tools/web_bundle.sh ${CMAKE_SOURCE_DIR}/cmake/web_table.cmake
  COMMENT "Bundling the web page" VERBATIM)
add_library(fathom_web STATIC ${web_dir}/assets.cc ${web_dir}/assets.S)
target_include_directories(fathom_web PUBLIC ${CMAKE_BINARY_DIR}/generated)
