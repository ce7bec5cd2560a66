#include "granary_tls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The numbers are part of OpenSSL 3's binary interface: include/openssl/ssl.h and tls1.h of OpenSSL 3.0.
enum {
  CONTROL_MODE = 33,
  CONTROL_LEAST_VERSION = 123,
  MODE_PARTIAL_WRITE = 1,
  MODE_MOVING_BUFFER = 2,
  FILE_IS_PEM = 1,
  VERSION_TLS_1_2 = 0x0303,
  ERROR_WANTS_READ = 2,
  ERROR_WANTS_WRITE = 3,
  ERROR_CLOSED = 6,
};

static struct {
  const void *(*server_method)(void);
  void *(*context_new)(const void *);
  void (*context_free)(void *);
  long (*context_ctrl)(void *, int, long, void *);
  int (*use_chain)(void *, const char *);
  int (*use_key)(void *, const char *, int);
  int (*check_key)(const void *);
  void *(*session_new)(void *);
  void (*session_free)(void *);
  int (*set_fd)(void *, int);
  void (*set_accept_state)(void *);
  int (*read)(void *, void *, int);
  int (*write)(void *, const void *, int);
  int (*pending)(const void *);
  int (*shutdown)(void *);
  int (*get_error)(const void *, int);
  void (*clear_errors)(void);
  unsigned long (*last_error)(void);
  void (*describe)(unsigned long, char *, size_t);
  int ready;
} tls;

static void open_library(void) {
  void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  *(void **)&tls.server_method = dlsym(library, "TLS_server_method");
  *(void **)&tls.context_new = dlsym(library, "SSL_CTX_new");
  *(void **)&tls.context_free = dlsym(library, "SSL_CTX_free");
  *(void **)&tls.context_ctrl = dlsym(library, "SSL_CTX_ctrl");
  *(void **)&tls.use_chain = dlsym(library, "SSL_CTX_use_certificate_chain_file");
  *(void **)&tls.use_key = dlsym(library, "SSL_CTX_use_PrivateKey_file");
  *(void **)&tls.check_key = dlsym(library, "SSL_CTX_check_private_key");
  *(void **)&tls.session_new = dlsym(library, "SSL_new");
  *(void **)&tls.session_free = dlsym(library, "SSL_free");
  *(void **)&tls.set_fd = dlsym(library, "SSL_set_fd");
  *(void **)&tls.set_accept_state = dlsym(library, "SSL_set_accept_state");
  *(void **)&tls.read = dlsym(library, "SSL_read");
  *(void **)&tls.write = dlsym(library, "SSL_write");
  *(void **)&tls.pending = dlsym(library, "SSL_pending");
  *(void **)&tls.shutdown = dlsym(library, "SSL_shutdown");
  *(void **)&tls.get_error = dlsym(library, "SSL_get_error");
  // In libcrypto, which libssl brings along.
  *(void **)&tls.clear_errors = dlsym(library, "ERR_clear_error");
  *(void **)&tls.last_error = dlsym(library, "ERR_peek_last_error");
  *(void **)&tls.describe = dlsym(library, "ERR_error_string_n");
  tls.ready = tls.server_method && tls.context_new && tls.context_free && tls.context_ctrl && tls.use_chain &&
              tls.use_key && tls.check_key && tls.session_new && tls.session_free && tls.set_fd &&
              tls.set_accept_state && tls.read && tls.write && tls.pending && tls.shutdown && tls.get_error &&
              tls.clear_errors && tls.last_error && tls.describe;
}

void *granary_tls_identity(const char *certificate, const char *key, char *failure, size_t failure_size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  if (!tls.ready) {
    snprintf(failure, failure_size, "libssl 3 is not installed");
    return NULL;
  }
  tls.clear_errors();
  void *context = tls.context_new(tls.server_method());
  if (context && tls.context_ctrl(context, CONTROL_LEAST_VERSION, VERSION_TLS_1_2, NULL) == 1 &&
      tls.use_chain(context, certificate) == 1 && tls.use_key(context, key, FILE_IS_PEM) == 1 &&
      tls.check_key(context) == 1) {
    tls.context_ctrl(context, CONTROL_MODE, MODE_PARTIAL_WRITE | MODE_MOVING_BUFFER, NULL);
    return context;
  }
  tls.describe(tls.last_error(), failure, failure_size);
  if (context) tls.context_free(context);
  return NULL;
}

void granary_tls_identity_free(void *identity) { tls.context_free(identity); }

void *granary_tls_session(void *identity, int fd) {
  void *session = tls.session_new(identity);
  if (!session) return NULL;
  if (tls.set_fd(session, fd) != 1) {
    tls.session_free(session);
    return NULL;
  }
  tls.set_accept_state(session);
  return session;
}

void granary_tls_session_free(void *session) {
  tls.clear_errors();
  tls.shutdown(session);
  tls.clear_errors();
  tls.session_free(session);
}

static long outcome(void *session, int result) {
  if (result > 0) return result;
  switch (tls.get_error(session, result)) {
    case ERROR_WANTS_READ:
    case ERROR_WANTS_WRITE: return GRANARY_TLS_BLOCKED;
    case ERROR_CLOSED: return GRANARY_TLS_ENDED;
    default: return GRANARY_TLS_FAILED;
  }
}

// OpenSSL counts in int, and moves at most one record of 16 KiB at once anyway.
static int bounded(size_t count) { return count > 1 << 24 ? 1 << 24 : (int)count; }

long granary_tls_receive(void *session, void *bytes, size_t count) {
  tls.clear_errors();
  return outcome(session, tls.read(session, bytes, bounded(count)));
}

long granary_tls_send(void *session, const void *bytes, size_t count) {
  tls.clear_errors();
  return outcome(session, tls.write(session, bytes, bounded(count)));
}

int granary_tls_pending(void *session) { return tls.pending(session); }
