/* SHA-256, as FIPS 180-4 defines it. */
#ifndef GRANARY_DIGEST_H
#define GRANARY_DIGEST_H

#include <stddef.h>

/* Writes the digest of some bytes as 64 hexadecimal digits and a final NUL. */
void granary_digest(const void *bytes, size_t count, char hex[65]);

#endif
