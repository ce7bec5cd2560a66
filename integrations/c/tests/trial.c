/* Tries the library's promises: `trial alone` against sockets that misbehave, `trial with DAEMON_PID` against the
 * daemon of the environment, which it kills at the end; `trial fill`, and when the daemon is gone `trial published
 * FOLDER` for what it has left there. Prints each broken promise; ends with 1 when there is one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <granary.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int broken;

#define promise(condition, ...)                                                              \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      broken++;                                                                              \
      printf("line %d: %s; %s: ", __LINE__, #condition, granary_message());                  \
      printf(__VA_ARGS__);                                                                   \
      printf("\n");                                                                          \
    }                                                                                        \
  } while (0)

static const char doubling[] = "add(x: f32[1000], x)";
enum { COUNT = 1000 };

typedef struct {
  _Alignas(64) float x[COUNT], y[COUNT];
} buffers;

static bool doubles(granary_kernel *kernel, buffers *data, int start) {
  const void *inputs[] = {data->x};
  void *outputs[] = {data->y};
  for (int i = 0; i < COUNT; i++) data->x[i] = (float)(start + i);
  memset(data->y, 0xff, sizeof data->y);
  if (granary_call(kernel, inputs, outputs) != GRANARY_OK) return false;
  for (int i = 0; i < COUNT; i++)
    if (data->y[i] != 2 * data->x[i]) return false;
  return true;
}

static int32_t own_doubling(void *argument, const void *const *inputs, void *const *outputs) {
  *(int *)argument += 1;
  for (int i = 0; i < COUNT; i++) ((float *)outputs[0])[i] = 2 * ((const float *)inputs[0])[i];
  return GRANARY_OK;
}

/* What a peer that is no daemon does with each connection. */
typedef struct {
  const char *reply;
  int listener;
} peer;

static void *misbehave(void *argument) {
  peer *self = argument;
  for (;;) {
    int connection = accept(self->listener, NULL, NULL);
    if (connection < 0) return NULL;
    char request[65536];
    if (recv(connection, request, sizeof request, 0) < 0) continue;
    /* A silent peer keeps the connection open. */
    if (!self->reply) continue;
    if (send(connection, self->reply, strlen(self->reply), MSG_NOSIGNAL) < 0) continue;
    close(connection);
  }
}

static int listen_on(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) exit(2);
  return listener;
}

/* Each peer is met in a process of its own, which has not yet given up on any. */
static void meet(const char *folder, const char *name, const char *reply, int32_t expected) {
  fflush(stdout);
  if (fork() == 0) {
    char path[100];
    pthread_t thread;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    peer one = {reply, listen_on(path)};
    pthread_create(&thread, NULL, misbehave, &one);
    granary_options options = {.size = sizeof options, .socket = path, .deadline_milliseconds = 300};
    static buffers data = {.x = {3}};
    const void *inputs[] = {data.x};
    void *outputs[] = {data.y};
    int fallbacks = 0;
    granary_kernel *kernel = (granary_kernel *)&data;
    int32_t status = granary_get(doubling, &options, &kernel);
    promise(status == expected && !kernel, "%s: %d instead of %d", name, status, expected);
    for (int i = 0; i < 50; i++)
      promise(granary_run(doubling, &options, inputs, outputs, own_doubling, &fallbacks) == GRANARY_OK, "%s", name);
    promise(fallbacks == 50 && data.y[0] == 6, "%s: %d fallbacks", name, fallbacks);
    promise(granary_count().requests <= 2, "%s: the daemon that failed is asked again at once", name);
    unlink(path);
    _exit(broken ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  wait(&status);
  if (status != 0) broken++;
}

static void try_alone(void) {
  char folder[] = "/tmp/granary-c-XXXXXX";
  if (!mkdtemp(folder)) exit(2);
  meet(folder, "silent", NULL, GRANARY_DEADLINE_EXCEEDED);
  meet(folder, "garbage", "\x7f""ELF rubbish\r\n\r\n", GRANARY_BAD_ANSWER);
  meet(folder, "hang-up", "", GRANARY_NO_DAEMON);
  meet(folder, "cut-short", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{", GRANARY_NO_DAEMON);
  meet(folder, "huge", "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", GRANARY_BAD_ANSWER);
  meet(folder, "no-json", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n[{\"a\"", GRANARY_BAD_ANSWER);
  meet(folder, "no-answer", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", GRANARY_BAD_ANSWER);
  meet(folder, "error", "HTTP/1.1 503 Busy\r\ncontent-length: 46\r\n\r\n{\"code\":\"shutting-down\",\"message\":\"the end\"}  ",
       GRANARY_NO_DAEMON);
  meet(folder, "half-manifest", "HTTP/1.1 200 OK\r\ncontent-length: 36\r\n\r\n[{\"artifact\":\"00\",\"manifest\":{\"a\":1}}]",
       GRANARY_BAD_ANSWER);
  rmdir(folder);
  granary_kernel *kernel = NULL;
  granary_options absent = {.size = sizeof absent, .socket = "/nonexistent/socket"};
  promise(granary_get(doubling, &absent, &kernel) == GRANARY_NO_DAEMON, "absent");
  granary_options odd = {.size = sizeof odd, .policy = "whatever"};
  promise(granary_get(doubling, &odd, &kernel) == GRANARY_BAD_ARGUMENT, "policy");
  promise(granary_get(NULL, NULL, &kernel) == GRANARY_BAD_ARGUMENT, "spec");
  promise(granary_call(NULL, NULL, NULL) == GRANARY_BAD_ARGUMENT, "kernel");
}

static void *call_often(void *argument) {
  granary_kernel *kernel = NULL;
  buffers *data = aligned_alloc(64, sizeof *data);
  bool right = granary_get(doubling, NULL, &kernel) == GRANARY_OK && kernel == argument;
  for (int i = 0; i < 200 && right; i++) right = doubles(kernel, data, i);
  free(data);
  return right ? argument : NULL;
}

static void try_threads(granary_kernel *kernel) {
  pthread_t threads[8];
  void *result;
  for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, call_often, kernel);
  for (int i = 0; i < 8; i++) {
    pthread_join(threads[i], &result);
    promise(result == kernel, "thread %d", i);
  }
}

/* Children of a process whose other threads call kernels. */
static void try_forks(granary_kernel *kernel, buffers *data) {
  pthread_t busy;
  pthread_create(&busy, NULL, call_often, kernel);
  for (int i = 0; i < 20; i++) {
    fflush(stdout);
    if (fork() == 0) {
      granary_kernel *other = NULL;
      bool right = doubles(kernel, data, i) && granary_get("exp(x: f32[64])", NULL, &other) == GRANARY_OK;
      _exit(right ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = 1;
    wait(&status);
    promise(status == 0, "child %d: %x", i, (unsigned)status);
  }
  pthread_join(busy, NULL);
}

/* A kernel that spends long enough in each call for calls to meet, and that has a workspace for each thread. */
static void try_large_kernel(void) {
  enum { SIDE = 256 };
  granary_kernel *kernel = NULL;
  float *memory = aligned_alloc(64, 3 * SIDE * SIDE * sizeof *memory);
  const void *inputs[] = {memory, memory + SIDE * SIDE};
  void *outputs[] = {memory + 2 * SIDE * SIDE};
  for (int i = 0; i < 2 * SIDE * SIDE; i++) memory[i] = 1;
  promise(granary_get("mm(x: f32[256,256], y: f32[256,256])", NULL, &kernel) == GRANARY_OK, "mm");
  for (int threads = 1; kernel && threads <= 3; threads++) {
    promise(granary_call(kernel, inputs, outputs) == GRANARY_OK, "mm");
    for (int i = 0; i < SIDE * SIDE; i++) broken += memory[2 * SIDE * SIDE + i] != SIDE;
  }
  free(memory);
}

static void try_bad_calls(granary_kernel *kernel, buffers *data) {
  const void *inputs[] = {(char *)data->x + 1}, *none[] = {NULL};
  void *outputs[] = {data->y};
  promise(granary_call(kernel, inputs, outputs) == GRANARY_BAD_ARGUMENT, "misaligned");
  promise(granary_call(kernel, none, outputs) == GRANARY_BAD_ARGUMENT, "null");
  static _Alignas(64) float table[12], row[4];
  static _Alignas(64) int64_t index[1] = {7};
  const void *positions[] = {table, index};
  void *rows[] = {row};
  int fallbacks = 0;
  int32_t status =
      granary_run("embedding(w: f32[3,4], i: i64[1])", NULL, positions, rows, own_doubling, &fallbacks);
  promise(status == GRANARY_INDEX_OUT_OF_RANGE && fallbacks == 0, "%d", status);
}

static void try_many(void) {
  enum { MANY = 6 };
  const char *specs[MANY] = {"neg(x: f32[7])", "nonsense(x: f32[7])", "softmax(x: f32[3,5], dim: 9)",
                             "neg(x: f32[8,8]{1,8})", "(sum(x: f32[5]), mul(x, 2)) ", "neg(x: f32[7])"};
  granary_kernel *kernels[MANY];
  int32_t statuses[MANY];
  uint64_t before = granary_count().requests;
  promise(granary_get_all(specs, MANY, NULL, kernels, statuses) == GRANARY_BAD_SPEC, "many");
  promise(granary_count().requests == before + 2, "many specs take two round trips");
  for (int i = 0; i < MANY; i++)
    promise((statuses[i] == GRANARY_OK) == (kernels[i] != NULL) && (kernels[i] != NULL) == (i != 1 && i != 2),
            "spec %d: %d", i, statuses[i]);
  if (!kernels[3] || !kernels[4]) return;
  const granary_description *strided = granary_describe(kernels[3]), *pair = granary_describe(kernels[4]);
  promise(strided->inputs->strides[0] == 1 && strided->inputs->strides[1] == 8 && strided->inputs->bytes == 256,
          "strides");
  promise(strcmp(strided->inputs->name, "x") == 0 && strlen(strided->key) == 64, "names");
  promise(pair->output_count == 2 && pair->outputs[0].rank == 0 && pair->outputs[1].bytes == 20, "outputs");
}

/* A kernel of a spec with open sizes, at sizes in and outside of the range. */
static void try_open_sizes(buffers *data) {
  granary_kernel *kernel = NULL;
  const void *inputs[] = {data->x, data->x}, *none[] = {NULL, NULL};
  void *outputs[] = {data->y};
  int64_t shapes[3 * 16];
  promise(granary_get("n in 2...30 by 2; add(x: f32[n,4], y: f32[n,4])", NULL, &kernel) == GRANARY_OK, "open sizes");
  if (!kernel) return;
  const granary_description *description = granary_describe(kernel);
  promise(description->size_count == 1 && description->sizes->upper == 30 && description->input_count == 2, "sizes");
  promise(granary_call(kernel, inputs, outputs) == GRANARY_BAD_ARGUMENT, "a call without sizes");
  promise(granary_call_sized(kernel, NULL, inputs, outputs) == GRANARY_BAD_ARGUMENT, "no sizes");
  for (int64_t size = -2; size <= 34; size++) {
    bool isOpen = size >= 2 && size <= 30 && size % 2 == 0;
    int32_t expected = isOpen ? GRANARY_OK : GRANARY_SIZE_REFUSED;
    memset(data->y, 0xff, sizeof data->y);
    promise(granary_call_sized(kernel, &size, inputs, outputs) == expected, "size %d", (int)size);
    promise(granary_shapes(kernel, &size, shapes) == expected, "size %d", (int)size);
    if (!isOpen) continue;
    promise(shapes[32] == size && shapes[33] == 4 && shapes[40] == 4 && shapes[41] == 1, "the output's shape");
    for (int i = 0; i < size * 4; i++) broken += data->y[i] != 2 * data->x[i];
    promise(granary_call_sized(kernel, &size, none, outputs) == GRANARY_BAD_ARGUMENT, "null");
  }
}

/* Kills a process and waits until it is gone, or a zombie that its parent has not collected yet. */
static void end(pid_t process) {
  char path[64], state = 'R';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
  kill(process, SIGKILL);
  while (state != 'Z') {
    FILE *file = fopen(path, "re");
    if (!file) return;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'Z';
    fclose(file);
    usleep(1000);
  }
}

static void try_with(pid_t daemon) {
  granary_kernel *kernel = NULL, *again = NULL;
  buffers *data = aligned_alloc(64, sizeof *data);
  granary_options cached = {.size = sizeof cached, .policy = "cached"};
  granary_options refresh = {.size = sizeof refresh, .refresh = 1};
  promise(granary_get("cos(x: f32[3])", &cached, &again) == GRANARY_NO_KERNEL, "cached");
  promise(granary_get(doubling, NULL, &kernel) == GRANARY_OK, "get");
  if (!kernel) return;
  promise(granary_get(doubling, NULL, &again) == GRANARY_OK && again == kernel, "a kernel is kept");
  promise(doubles(kernel, data, 5), "the kernel is right");
  try_threads(kernel);
  try_forks(kernel, data);
  try_large_kernel();
  try_bad_calls(kernel, data);
  try_many();
  try_open_sizes(data);
  promise(granary_get(doubling, &refresh, &again) == GRANARY_OK && doubles(again, data, 1), "refresh");
  end(daemon);
  promise(granary_get(doubling, &refresh, &again) == GRANARY_OK && doubles(again, data, 1), "without the daemon");
  int fallbacks = 0;
  const void *inputs[] = {data->x};
  void *outputs[] = {data->y};
  int32_t status = granary_run("add(x: f32[1000], x, alpha: 1.0)", NULL, inputs, outputs, own_doubling, &fallbacks);
  promise(status == GRANARY_OK && fallbacks == 1, "fallback");
  free(data);
}

/* Damages every published artifact; returns how many there were. */
static int damage(const char *folder) {
  char path[512];
  int damaged = 0;
  snprintf(path, sizeof path, "%s/artifacts", folder);
  DIR *directory = opendir(path);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/artifacts/%s", folder, entry->d_name);
    FILE *file = chmod(path, 0600) == 0 ? fopen(path, "r+e") : NULL;
    if (!file) exit(2);
    fseek(file, 4000, SEEK_SET);
    fputs("damaged", file);
    fclose(file);
    damaged++;
  }
  if (directory) closedir(directory);
  return damaged;
}

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Without a daemon, in the folder that one has filled: finds the kernel, until it is damaged. */
static void try_published(const char *folder) {
  granary_kernel *kernel = NULL, *again = NULL;
  buffers *data = aligned_alloc(64, sizeof *data);
  granary_options tuned = {.size = sizeof tuned, .policy = "tuned"};
  granary_options refresh = {.size = sizeof refresh, .refresh = 1, .policy = "cached"};
  double began = microseconds();
  promise(granary_get(doubling, NULL, &kernel) == GRANARY_OK, "published");
  double found = microseconds();
  promise(granary_get(doubling, NULL, &again) == GRANARY_OK && again == kernel, "a kernel is kept");
  double again_found = microseconds();
  printf("found in %.1f us, again in %.1f us\n", found - began, again_found - found);
  promise(kernel && doubles(kernel, data, 7), "the kernel is right");
  promise(granary_count().requests == 0, "the daemon was asked");
  promise(granary_get(doubling, &refresh, &again) == GRANARY_NO_DAEMON, "a refresh asks the daemon");
  promise(granary_get("add(x: f32[999], x)", NULL, &again) == GRANARY_NO_DAEMON, "another spec");
  fflush(stdout);
  if (fork() == 0) {
    promise(granary_get(doubling, &tuned, &again) != GRANARY_OK, "a baseline is not tuned");
    promise(damage(folder) > 0, "nothing is published");
    granary_options cached = {.size = sizeof cached, .policy = "cached"};
    promise(granary_get(doubling, &cached, &again) != GRANARY_OK, "a damaged artifact is loaded");
    _exit(broken ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 1;
  wait(&status);
  if (status != 0) broken++;
  free(data);
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "alone") == 0) try_alone();
  else if (count == 3 && strcmp(arguments[1], "with") == 0) try_with(atoi(arguments[2]));
  else if (count == 2 && strcmp(arguments[1], "fill") == 0) {
    granary_kernel *kernel = NULL;
    promise(granary_get(doubling, NULL, &kernel) == GRANARY_OK, "fill");
  } else if (count == 3 && strcmp(arguments[1], "published") == 0) try_published(arguments[2]);
  else return 2;
  printf("%d broken promises\n", broken);
  return broken ? EXIT_FAILURE : EXIT_SUCCESS;
}
