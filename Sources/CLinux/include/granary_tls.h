#pragma once
#include <stddef.h>

// TLS 1.2 and newer for servers, through OpenSSL 3, which is opened when it is first needed.

enum {
  GRANARY_TLS_ENDED = 0,
  // Nothing can be done before the socket is readable or writable again.
  GRANARY_TLS_BLOCKED = -1,
  GRANARY_TLS_FAILED = -2,
};

// A server's identity from two PEM files: the certificate with its chain, and its key. NULL on failure, with the reason.
// It may be used by several threads.
void *granary_tls_identity(const char *certificate, const char *key, char *failure, size_t failure_size);
void granary_tls_identity_free(void *identity);

// The server's side of one connection over a socket that does not block; NULL without memory. It is for one thread.
void *granary_tls_session(void *identity, int fd);
// Says goodbye if the socket takes it, and frees the session; the socket stays open.
void granary_tls_session_free(void *session);

// Number of bytes, or one of the above. The handshake is done by the way.
long granary_tls_receive(void *session, void *bytes, size_t count);
long granary_tls_send(void *session, const void *bytes, size_t count);
// Bytes that were received and decrypted, which the socket no longer tells of.
int granary_tls_pending(void *session);
