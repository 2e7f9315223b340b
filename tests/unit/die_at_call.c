/* SPDX-FileCopyrightText: Schultor contributors
 * SPDX-License-Identifier: EUPL-1.2
 *
 * Preloaded into a program, it ends that as a power cut would: before call number SCHULTOR_DIE_AT to what changes files. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void count(void) {
  static long calls;
  const char* at = getenv("SCHULTOR_DIE_AT");
  if (at != NULL && ++calls == atol(at)) kill(getpid(), SIGKILL);
}

#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, name))

int fsync(int fd) {
  count();
  return NEXT("fsync", int (*)(int))(fd);
}

int fchmod(int fd, mode_t mode) {
  count();
  return NEXT("fchmod", int (*)(int, mode_t))(fd, mode);
}

int rename(const char* from, const char* to) {
  count();
  return NEXT("rename", int (*)(const char*, const char*))(from, to);
}

int unlink(const char* path) {
  count();
  return NEXT("unlink", int (*)(const char*))(path);
}

ssize_t write(int fd, const void* data, size_t size) {
  count();
  return NEXT("write", ssize_t(*)(int, const void*, size_t))(fd, data, size);
}
