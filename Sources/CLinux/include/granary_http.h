#pragma once
#include <stddef.h>
#include <stdint.h>

// One HTTP exchange through libcurl, which is opened when it is first needed: a program that shares nothing does not
// load it. Redirects are not followed, and no protocol but http and https is spoken.

struct granary_http_call {
  const char *method;
  const char *url;
  // "Name: value", ended by NULL.
  const char *const *headers;
  // NULL for no body.
  const uint8_t *body;
  size_t body_length;
  // A longer answer is a failure.
  size_t limit_bytes;
  long connect_milliseconds;
  long total_milliseconds;
  // "user:secret" and "aws:amz:REGION:s3" for a signature of AWS version 4, or NULL.
  const char *credentials;
  const char *signature;
  // A PEM file of the authorities that vouch for the server, or NULL for those of the system.
  const char *authorities;
};

struct granary_http_answer {
  long status;
  // Allocated with malloc; the caller frees it.
  uint8_t *body;
  size_t length;
  // The value of ETag; empty without one, or with one that is longer.
  char tag[128];
  // Why the exchange failed; never with a header or credentials.
  char failure[256];
};

// 0 when there was an answer, whatever its status; 1 when there was none; 2 when libcurl is missing.
int granary_http_exchange(const struct granary_http_call *call, struct granary_http_answer *answer);
