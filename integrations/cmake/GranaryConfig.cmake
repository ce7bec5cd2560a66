# find_package(Granary): the C library as Granary::granary, and kernels as typed functions of a target.
#
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

# Writes NAME.h, which declares int32_t NAME(const T *input..., T *out...), and NAME.c, compiled into the target.
#
# The function runs the kernel that the daemon has, or has published, for the spec; without one, FALLBACK, which is a
# granary_fallback of the target; without that it returns a status of granary.h. The spec is read when CMake
# configures, which happens again when the file changes.
function(granary_add_kernel target)
  cmake_parse_arguments(PARSE_ARGV 1 kernel "" "NAME;SPEC;FALLBACK" "OUTPUTS")
  if(NOT kernel_NAME OR NOT kernel_SPEC OR NOT kernel_OUTPUTS OR kernel_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "granary_add_kernel(TARGET NAME name SPEC file.json OUTPUTS dtype... [FALLBACK function])")
  endif()
  get_filename_component(spec "${kernel_SPEC}" ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${spec}")
  set_property(GLOBAL APPEND PROPERTY GRANARY_SPECS "${spec}")
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
  list(JOIN parameters ", " parameters)
  list(JOIN inputs ", " inputs)
  list(JOIN outputs ", " outputs)
  _granary_literal("${text}" literal)
  set(fallback NULL)
  set(declaration "")
  if(kernel_FALLBACK)
    set(fallback ${kernel_FALLBACK})
    set(declaration "int32_t ${fallback}(void *argument, const void *const *inputs, void *const *outputs);\n")
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/granary/${target}")
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
  file(CONFIGURE OUTPUT "${folder}/${kernel_NAME}.c" @ONLY CONTENT [=[
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
  target_sources(${target} PRIVATE "${folder}/${kernel_NAME}.c")
  target_include_directories(${target} PRIVATE "${folder}")
  target_link_libraries(${target} PRIVATE Granary::granary)
endfunction()

# Adds a target that has the daemon make the kernels of all granary_add_kernel calls so far, and, with LOCK, writes
# down which they are. Fails, when it is built, where there is no granary program.
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
  add_custom_target(${name} COMMAND "${program}" get ${specs} ${lock} VERBATIM)
endfunction()
