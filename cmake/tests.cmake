# tests/ mirrors src/: every tests/FOLDER/*_test.cc goes into one executable, FOLDER_tests.
find_package(GTest REQUIRED)
include(GoogleTest)
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cc)
add_library(fathom_test_support STATIC ${support})
target_include_directories(fathom_test_support PUBLIC ${CMAKE_SOURCE_DIR})
target_link_libraries(fathom_test_support PUBLIC fathom_apps GTest::gtest GTest::gmock GTest::gtest_main)
target_compile_definitions(fathom_test_support PUBLIC
  FATHOM_CASES_DIR="${FATHOM_CASES}" FATHOM_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
  FATHOM_BINARY="$<TARGET_FILE:fathom>")

if(FATHOM_CASES)
  foreach(set golden/README.md golden/v3/expected.safetensors golden/v3-fp8/expected.safetensors
      golden/v3-ue8m0/expected.safetensors golden/v31/expected.safetensors golden/moonlight/expected.safetensors
      pilot/expected.safetensors pilot/greedy.jsonl chat/golden.jsonl tokenizers/deepseek-v3/golden.jsonl)
    if(NOT EXISTS ${FATHOM_CASES}/${set})
      message(FATAL_ERROR "FATHOM_CASES=${FATHOM_CASES}: ${set} is missing; name a complete directory or leave the option empty")
    endif()
  endforeach()
else()
  message(STATUS "FATHOM_CASES is empty: the suites named Cases* (golden, pilot, chat, tokenizers) are left out")
endif()

file(GLOB_RECURSE all_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.cc)
set(test_folders "")
foreach(file ${all_tests})
  file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR}/tests ${file})
  get_filename_component(folder ${relative} DIRECTORY)
  list(APPEND test_folders ${folder})
endforeach()
list(REMOVE_DUPLICATES test_folders)
foreach(folder ${test_folders})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.cc)
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE fathom_test_support)
  add_dependencies(${name}_tests fathom)
  # `threads`: what the thread sanitizer is for.
  set(label plain)
  if(folder MATCHES "^(base|net|io|infer|server)$")
    set(label threads)
  endif()
  gtest_discover_tests(${name}_tests DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS ${label})
endforeach()
