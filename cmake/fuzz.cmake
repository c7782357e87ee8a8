# fuzz/*_fuzz.cc, one libFuzzer target each (preset asan).
file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*_fuzz.cc)
foreach(file ${fuzzers})
  get_filename_component(name ${file} NAME_WE)
  add_executable(${name} ${file})
  target_link_libraries(${name} PRIVATE fathom_server fathom_infer fathom_model fathom_io fathom_text fathom_net)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
