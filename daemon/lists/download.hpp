// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace schultor::lists {

struct DownloadLimits {
  std::chrono::seconds connect{30};
  std::chrono::seconds stalled{60};  ///< below 1 kB/s for so long
  std::chrono::seconds whole{1800};
  std::uint64_t octets = std::uint64_t{256} << 20U;
};

struct DownloadRequest {
  std::string url;            ///< https
  std::string etag;           ///< of what is there; empty: whatever the server has is wanted
  std::string last_modified;  ///< likewise
  std::string authorities;    ///< a PEM file of the authorities to trust; empty: those of the system
  DownloadLimits limits;
};

struct Downloaded {
  bool unchanged = false;  ///< the server has what is there, and sent nothing
  std::string etag;        ///< at most 200 printable characters; else empty
  std::string last_modified;
};

/// Writes what the server sends into the file `fd`. TLS is verified, also on the way to which it redirects: five times at most.
/// Waits until it is done. Neither cookies nor credentials are sent.
[[nodiscard]] base::Result<Downloaded> download(const DownloadRequest& request, int fd);

}  // namespace schultor::lists
