#include "locations.h"

#include <stdio.h>
#include <stdlib.h>

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* The same order as the daemon's own: docs/configuration.md. */
void granary_default_socket(char *path, size_t count) {
  const char *socket = variable("GRANARY_SOCKET"), *home = variable("GRANARY_HOME"),
             *runtime = variable("XDG_RUNTIME_DIR"), *cache = variable("XDG_CACHE_HOME"), *user = variable("HOME");
  if (socket) snprintf(path, count, "%s", socket);
  else if (home) snprintf(path, count, "%s/granary.sock", home);
  else if (runtime) snprintf(path, count, "%s/granary/granary.sock", runtime);
  else if (cache) snprintf(path, count, "%s/granary/granary.sock", cache);
  else snprintf(path, count, "%s/.cache/granary/granary.sock", user ? user : "/");
}

const char *granary_default_published(char *path, size_t count) {
  const char *published = variable("GRANARY_PUBLISHED"), *home = variable("GRANARY_HOME"),
             *cache = variable("XDG_CACHE_HOME"), *user = variable("HOME");
  if (published) snprintf(path, count, "%s", published);
  else if (home) snprintf(path, count, "%s/published", home);
  else if (cache) snprintf(path, count, "%s/granary/published", cache);
  else snprintf(path, count, "%s/.cache/granary/published", user ? user : "/");
  return path;
}
