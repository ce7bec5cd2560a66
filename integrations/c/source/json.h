/* Reads JSON (RFC 8259) in place: a value is the range of its text. */
#ifndef GRANARY_JSON_H
#define GRANARY_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct json {
  const char *start;
  const char *end;
} json;

/* The one value that a text is; false when the text is not JSON or nested deeper than 64. All other functions take
 * values that come from here. */
bool json_parse(const char *text, size_t count, json *value);

/* The member of an object; false when there is none. */
bool json_member(json object, const char *name, json *value);

/* The next element of an array. *cursor is NULL before the first one. */
bool json_next(json array, const char **cursor, json *element);

/* How many elements an array has; -1 for another value. */
int64_t json_count(json array);

bool json_is_text(json value);

/* Whether a value is a string without escapes that equals text. */
bool json_equals(json value, const char *text);

/* A string as allocated UTF-8 text, each \u escape beyond ASCII replaced by '?'; NULL for another value. */
char *json_copy(json value);

/* A whole number from 0 to 2^53; false for another value. */
bool json_natural(json value, int64_t *number);

/* The text as a JSON string with its quotes, allocated; NULL when there is no memory. */
char *json_quoted(const char *text);

#endif
