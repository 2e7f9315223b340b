// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/unique_fd.hpp"

#include <map>
#include <string>

/// Descriptors kept by the service manager across a restart (sd_notify(3), FDSTORE=1). Without a manager nothing happens.
namespace schultor::dns::fd_store {

inline constexpr const char* udp = "schultor-udp";
inline constexpr const char* tcp = "schultor-tcp";
inline constexpr const char* rules = "schultor-rules";
inline constexpr const char* table = "schultor-table";
inline constexpr const char* pins = "schultor-pins";

/// What an earlier run stored, by name.
[[nodiscard]] std::map<std::string, base::UniqueFd> take_back();
/// In place of what was stored under `name` before.
void store(const char* name, int fd);
/// Nothing is stored under `name` any more.
void remove(const char* name);
/// One line for `systemctl status`; `ready` once.
void tell(const std::string& status, bool ready);

}  // namespace schultor::dns::fd_store
