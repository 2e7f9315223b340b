// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

/// Tests of nf_tables run in network namespaces that the test process makes for itself and that end with it.
namespace schultor::test {

/// Moves this process into a network namespace of its own, empty. A process that may not ends with 77: skipped, not passed.
inline void enter_network_namespace() {
  if (unshare(CLONE_NEWNET) == 0) return;
  std::fprintf(stderr, "skipped: a network namespace of its own is not permitted here (%s)\n", std::strerror(errno));
  std::_Exit(77);
}

/// Runs a command in the current network namespace and gives what it prints; throws when it fails, with what it said.
inline std::string run(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string output;
  char buffer[4096];
  while (const std::size_t size = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, size);
  const int status = pclose(pipe);
  if (status != 0) throw std::runtime_error(command + " failed: " + output);
  return output;
}

/// A file that is removed again.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string& content) {
    const int descriptor = mkstemp(path_);
    if (descriptor < 0) throw std::runtime_error("no temporary file");
    close(descriptor);
    std::ofstream(path_) << content;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { unlink(path_); }
  std::string path() const { return path_; }

private:
  char path_[32] = "/tmp/schultor-test-XXXXXX";
};

}  // namespace schultor::test
