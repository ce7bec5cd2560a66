# find_package(Granary): the C library as Granary::granary, and kernels as typed functions of a target.
#
#   granary_add_kernel(TARGET NAME softmax SPEC softmax.json SOURCE kernels/softmax.c [PORTABLE_ONLY])
#   granary_add_kernel(TARGET NAME softmax SPEC softmax.json OUTPUTS f32 [FALLBACK plain_softmax])
#   granary_prewarm(NAME [LOCK granary.lock])
#
# Needs no network, no daemon and no `granary` program to configure and build; granary_prewarm needs the program.
include_guard(GLOBAL)
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)

get_filename_component(_granary_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET Granary::granary)
  add_library(Granary::granary STATIC IMPORTED)
  set_target_properties(Granary::granary PROPERTIES
    IMPORTED_LOCATION "${_granary_prefix}/lib/libgranary.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_granary_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
endif()
find_program(GRANARY_PROGRAM granary HINTS "${_granary_prefix}/bin")
define_property(GLOBAL PROPERTY GRANARY_SPECS BRIEF_DOCS "The specs of all kernels" FULL_DOCS "As files")
define_property(GLOBAL PROPERTY GRANARY_EXPORTS BRIEF_DOCS "The exported sources" FULL_DOCS "As spec, folder and name")

# The C type of an element; 16-bit floats are their raw words.
function(_granary_c_type dtype result)
  set(f64 double)
  set(f32 float)
  set(f16 uint16_t)
  set(bf16 uint16_t)
  set(i64 int64_t)
  set(i32 int32_t)
  set(i16 int16_t)
  set(i8 int8_t)
  set(u8 uint8_t)
  set(bool uint8_t)
  if(NOT DEFINED ${dtype})
    message(FATAL_ERROR "granary_add_kernel: '${dtype}' is no dtype; expected f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool")
  endif()
  set(${result} "${${dtype}}" PARENT_SCOPE)
endfunction()

# A C string literal of a text.
function(_granary_literal text result)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

# Adds the source that `granary export-source` wrote to the target, and gives the caller the types of the function.
#
# It is refused when the spec has changed since: then it computes something else.
function(_granary_add_source target name spec source portable_only)
  get_filename_component(folder "${source}" DIRECTORY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
  set_property(GLOBAL APPEND PROPERTY GRANARY_EXPORTS "${spec}" "${folder}" "${name}")
  set(again "granary export-source ${spec} -o ${folder} --name ${name}")
  if(NOT EXISTS "${source}" OR NOT EXISTS "${folder}/${name}.h")
    message(FATAL_ERROR "granary_add_kernel: ${source} or its header is missing; write them with\n  ${again}")
  endif()
  file(SHA256 "${spec}" digest)
  file(STRINGS "${source}" head LIMIT_COUNT 5)
  string(REGEX MATCH "granary-spec: ([0-9a-f]*)" found "${head}")
  if(NOT CMAKE_MATCH_1 STREQUAL digest)
    message(FATAL_ERROR "granary_add_kernel: ${source} is not of the present ${spec}; write it again with\n  ${again}")
  endif()
  string(REGEX MATCH "granary-options: ([^;]*)" found "${head}")
  separate_arguments(options UNIX_COMMAND "${CMAKE_MATCH_1}")
  # What gcc gets wrong, and what clang does not know.
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(REMOVE_ITEM options -fno-trapping-math)
  else()
    list(FILTER options EXCLUDE REGEX "^-fno-tree-")
  endif()
  set_source_files_properties("${source}" PROPERTIES
    COMPILE_OPTIONS "-std=gnu11;${options};-w"
    COMPILE_DEFINITIONS "$<$<BOOL:$<TARGET_PROPERTY:GRANARY_ONLY_${name}>>:GRANARY_PORTABLE_ONLY>")
  # Of the target, for other targets may have the same source in another way.
  set_target_properties(${target} PROPERTIES GRANARY_ONLY_${name} "${portable_only}")
  target_sources(${target} PRIVATE "${source}")
  target_include_directories(${target} PRIVATE "${folder}")
  file(STRINGS "${folder}/${name}.h" declaration REGEX "^int32_t ${name}\\(")
  string(REGEX MATCH "\\(([^)]*)\\)" found "${declaration}")
  set(declaration "${CMAKE_MATCH_1}")
  set(declared_parameters "${declaration}" PARENT_SCOPE)
endfunction()

# Gives a target the function int32_t NAME(const T *input..., T *out...), declared in NAME.h.
#
# The function runs the kernel that the daemon has, or has published, for the spec. Without one it runs SOURCE, the C
# source of a kernel that `granary export-source` wrote into the source tree; or FALLBACK, which is a granary_fallback
# of the target; without both it returns a status of granary.h. PORTABLE_ONLY is for programs that are not to ask any
# daemon: the function is SOURCE, and the target needs nothing of Granary. Without SOURCE, OUTPUTS are the dtypes of the
# results. The spec is read when CMake configures, which happens again when the file changes.
function(granary_add_kernel target)
  cmake_parse_arguments(PARSE_ARGV 1 kernel "PORTABLE_ONLY" "NAME;SPEC;FALLBACK;SOURCE" "OUTPUTS")
  if(NOT kernel_NAME OR NOT kernel_SPEC OR kernel_UNPARSED_ARGUMENTS
     OR (NOT kernel_SOURCE AND (NOT kernel_OUTPUTS OR kernel_PORTABLE_ONLY)))
    message(FATAL_ERROR "granary_add_kernel(TARGET NAME name SPEC file.json SOURCE name.c [PORTABLE_ONLY]) or "
      "granary_add_kernel(TARGET NAME name SPEC file.json OUTPUTS dtype... [FALLBACK function])")
  endif()
  get_filename_component(spec "${kernel_SPEC}" ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${spec}")
  set_property(GLOBAL APPEND PROPERTY GRANARY_SPECS "${spec}")
  if(kernel_SOURCE)
    get_filename_component(source "${kernel_SOURCE}" ABSOLUTE)
    _granary_add_source(${target} "${kernel_NAME}" "${spec}" "${source}" "${kernel_PORTABLE_ONLY}")
    if(kernel_PORTABLE_ONLY)
      return()
    endif()
  endif()
  file(READ "${spec}" text)
  string(JSON count ERROR_VARIABLE fault LENGTH "${text}" inputs)
  if(fault)
    message(FATAL_ERROR "granary_add_kernel: ${spec} is no spec in JSON form: ${fault}")
  endif()
  set(parameters "")
  set(inputs "")
  set(outputs "")
  set(index 0)
  while(index LESS count)
    string(JSON input_name GET "${text}" inputs ${index} name)
    string(JSON input_type GET "${text}" inputs ${index} type)
    string(REGEX REPLACE "\\[.*" "" dtype "${input_type}")
    _granary_c_type("${dtype}" type)
    list(APPEND parameters "const ${type} *${input_name}")
    list(APPEND inputs "${input_name}")
    math(EXPR index "${index} + 1")
  endwhile()
  set(index 0)
  foreach(dtype IN LISTS kernel_OUTPUTS)
    _granary_c_type("${dtype}" type)
    list(APPEND parameters "${type} *out${index}")
    list(APPEND outputs "out${index}")
    math(EXPR index "${index} + 1")
  endforeach()
  if(kernel_SOURCE)
    # The header says what the outputs are.
    string(REGEX MATCHALL "out[0-9]+" outputs "${declared_parameters}")
    string(REPLACE ", " ";" parameters "${declared_parameters}")
  endif()
  list(JOIN parameters ", " parameters)
  list(JOIN inputs ", " inputs)
  list(JOIN outputs ", " outputs)
  _granary_literal("${text}" literal)
  set(fallback NULL)
  set(declaration "")
  if(kernel_FALLBACK)
    set(fallback ${kernel_FALLBACK})
    set(declaration "int32_t ${fallback}(void *argument, const void *const *inputs, void *const *outputs);\n")
  elseif(kernel_SOURCE)
    set(fallback ${kernel_NAME}_portable)
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/granary/${target}")
  if(NOT kernel_SOURCE)
    file(CONFIGURE OUTPUT "${folder}/${kernel_NAME}.h" @ONLY CONTENT [=[
/* Made from a spec by granary_add_kernel. */
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/* Returns GRANARY_OK, or a status of granary.h. Inputs as the spec lays them out, outputs contiguous. */
int32_t @kernel_NAME@(@parameters@);
#ifdef __cplusplus
}
#endif
]=])
  endif()
  file(CONFIGURE OUTPUT "${folder}/${kernel_NAME}_asked.c" @ONLY CONTENT [=[
/* Made from a spec by granary_add_kernel. */
#include "@kernel_NAME@.h"

#include <granary.h>

@declaration@
int32_t @kernel_NAME@(@parameters@) {
  static const char spec[] = @literal@;
  const void *inputs[] = {@inputs@};
  void *outputs[] = {@outputs@};
  return granary_run(spec, 0, inputs, outputs, @fallback@, 0);
}
]=])
  target_sources(${target} PRIVATE "${folder}/${kernel_NAME}_asked.c")
  target_include_directories(${target} PRIVATE "${folder}")
  target_link_libraries(${target} PRIVATE Granary::granary)
endfunction()

# Adds a target that has the daemon make the kernels of all granary_add_kernel calls so far, writes each SOURCE anew
# and, with LOCK, writes down which kernels they are. Fails, when it is built, where there is no granary program.
function(granary_prewarm name)
  cmake_parse_arguments(PARSE_ARGV 1 prewarm "" "LOCK" "")
  get_property(specs GLOBAL PROPERTY GRANARY_SPECS)
  set(program "${GRANARY_PROGRAM}")
  if(NOT program)
    set(program granary)
  endif()
  set(lock "")
  if(prewarm_LOCK)
    get_filename_component(file "${prewarm_LOCK}" ABSOLUTE)
    set(lock COMMAND "${program}" lock ${specs} -o "${file}")
  endif()
  set(exports "")
  get_property(exported GLOBAL PROPERTY GRANARY_EXPORTS)
  while(exported)
    list(POP_FRONT exported spec folder function)
    list(APPEND exports COMMAND "${program}" export-source "${spec}" -o "${folder}" --name "${function}")
  endwhile()
  add_custom_target(${name} COMMAND "${program}" get ${specs} ${exports} ${lock} VERBATIM)
endfunction()
