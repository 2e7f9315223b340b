// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/fd_store.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace schultor::dns::fd_store {

std::map<std::string, base::UniqueFd> take_back() {
  std::map<std::string, base::UniqueFd> taken;
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    taken.insert_or_assign(names[i], base::UniqueFd(SD_LISTEN_FDS_START + i));
    std::free(names[i]);
  }
  std::free(names);
  return taken;
}

// The manager's absence is no fault, and its refusal costs nothing but the next restart's speed: results are not looked at.

void remove(const char* name) { sd_notify(0, fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name).c_str()); }

void store(const char* name, int fd) {
  remove(name);
  sd_pid_notify_with_fds(0, 0, fmt::format("FDSTORE=1\nFDNAME={}", name).c_str(), &fd, 1);
}

void tell(const std::string& status, bool ready) {
  sd_notify(0, fmt::format("{}STATUS={}", ready ? "READY=1\n" : "", status).c_str());
}

}  // namespace schultor::dns::fd_store
