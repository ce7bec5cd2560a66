#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64 };

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  return at;
}

static const char *skip_string(const char *at, const char *end) {
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\' && ++at == end) return NULL;
  return at < end ? at + 1 : NULL;
}

static const char *skip_word(const char *at, const char *end) {
  const char *start = at;
  while (at < end && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *at) && *at) at++;
  return at > start ? at : NULL;
}

static const char *skip_value(const char *at, const char *end, int depth);

/* Skips the members of an object or the elements of an array. */
static const char *skip_list(const char *at, const char *end, int depth) {
  char close = *at == '{' ? '}' : ']';
  at = skip_space(at + 1, end);
  if (at < end && *at == close) return at + 1;
  for (;;) {
    if (close == '}') {
      if (at >= end || *at != '"' || !(at = skip_string(at, end))) return NULL;
      at = skip_space(at, end);
      if (at >= end || *at++ != ':') return NULL;
    }
    at = skip_value(at, end, depth + 1);
    if (!at || (at = skip_space(at, end)) >= end) return NULL;
    if (*at == close) return at + 1;
    if (*at++ != ',') return NULL;
    at = skip_space(at, end);
  }
}

static const char *skip_value(const char *at, const char *end, int depth) {
  at = skip_space(at, end);
  if (at >= end || depth > DEPTH) return NULL;
  if (*at == '{' || *at == '[') return skip_list(at, end, depth);
  return *at == '"' ? skip_string(at, end) : skip_word(at, end);
}

bool json_parse(const char *text, size_t count, json *value) {
  const char *end = text + count;
  value->start = skip_space(text, end);
  value->end = skip_value(value->start, end, 0);
  return value->end && skip_space(value->end, end) == end;
}

bool json_member(json object, const char *name, json *value) {
  if (*object.start != '{') return false;
  const char *at = skip_space(object.start + 1, object.end);
  while (*at == '"') {
    json key = {at, skip_string(at, object.end)};
    at = skip_space(skip_space(key.end, object.end) + 1, object.end);
    *value = (json){at, skip_value(at, object.end, 0)};
    if (json_equals(key, name)) return true;
    at = skip_space(value->end, object.end);
    if (*at == ',') at = skip_space(at + 1, object.end);
  }
  return false;
}

bool json_next(json array, const char **cursor, json *element) {
  if (*array.start != '[') return false;
  const char *at = skip_space(*cursor ? *cursor : array.start + 1, array.end);
  if (*cursor && *at == ',') at = skip_space(at + 1, array.end);
  if (*at == ']') return false;
  *element = (json){at, skip_value(at, array.end, 0)};
  *cursor = element->end;
  return true;
}

int64_t json_count(json array) {
  if (*array.start != '[') return -1;
  int64_t count = 0;
  const char *cursor = NULL;
  json element;
  while (json_next(array, &cursor, &element)) count++;
  return count;
}

bool json_is_text(json value) { return *value.start == '"'; }

bool json_equals(json value, const char *text) {
  size_t count = strlen(text);
  return json_is_text(value) && (size_t)(value.end - value.start) == count + 2 &&
         memcmp(value.start + 1, text, count) == 0;
}

char *json_copy(json value) {
  if (!json_is_text(value)) return NULL;
  char *text = malloc((size_t)(value.end - value.start)), *to = text;
  if (!text) return NULL;
  for (const char *at = value.start + 1; at < value.end - 1; at++) {
    if (*at != '\\') {
      *to++ = *at;
      continue;
    }
    static const char escapes[] = "nrtbf", meanings[] = "\n\r\t\b\f";
    const char *known = strchr(escapes, *++at);
    unsigned code = 0;
    if (*at == 'u' && value.end - at > 5 && sscanf(at + 1, "%4x", &code) == 1) {
      *to++ = code > 0 && code < 128 ? (char)code : '?';
      at += 4;
    } else {
      *to++ = known && *known ? meanings[known - escapes] : *at;
    }
  }
  *to = 0;
  return text;
}

bool json_natural(json value, int64_t *number) {
  *number = 0;
  for (const char *at = value.start; at < value.end; at++) {
    if (*at < '0' || *at > '9' || *number > INT64_C(900719925474099)) return false;
    *number = *number * 10 + (*at - '0');
  }
  return true;
}

char *json_quoted(const char *text) {
  char *quoted = malloc(6 * strlen(text) + 3), *to = quoted;
  if (!quoted) return NULL;
  *to++ = '"';
  for (; *text; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte < 32) {
      to += sprintf(to, "\\u%04x", byte);
    } else {
      if (byte == '"' || byte == '\\') *to++ = '\\';
      *to++ = *text;
    }
  }
  *to++ = '"';
  *to = 0;
  return quoted;
}
