#define _GNU_SOURCE
#include "granary_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int granary_forgo_privileges(void) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -errno;
  /* The clearing of ambient capabilities may be refused where there are none. */
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return 0;
}

int granary_leave_namespaces(void) {
  return unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0 ? 0 : -errno;
}

/* Access rights of the first version, and those that later versions added (man landlock(7)). */
enum { RIGHTS_READ = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

static uint64_t all_rights(int version) {
  uint64_t rights = (1ULL << 13) - 1;
  if (version >= 2) rights |= 1ULL << 13; /* refer */
  if (version >= 3) rights |= 1ULL << 14; /* truncate */
  if (version >= 5) rights |= 1ULL << 15; /* ioctl on devices */
  return rights;
}

static int allow_beneath(int ruleset, const char *path, uint64_t rights) {
  int directory = open(path, O_PATH | O_CLOEXEC);
  if (directory < 0) return -errno;
  struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = directory};
  int result = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  int error = errno;
  close(directory);
  return result == 0 ? 0 : -error;
}

int granary_restrict_files(int read_everything, const char *writable) {
  int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return -errno;
  struct landlock_ruleset_attr attributes = {.handled_access_fs = all_rights(version)};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (ruleset < 0) return -errno;
  int result = 0;
  if (read_everything) {
    result = allow_beneath(ruleset, "/", RIGHTS_READ);
    /* Drivers open /dev/null for writing. */
    if (result == 0) allow_beneath(ruleset, "/dev", RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
  }
  if (result == 0 && writable) result = allow_beneath(ruleset, writable, all_rights(version));
  if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) result = -errno;
  close(ruleset);
  return result == 0 ? version : result;
}
