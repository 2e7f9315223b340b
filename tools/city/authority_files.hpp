// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/x509.hpp"

#include <optional>
#include <string>
#include <vector>

/// The folder of the city's device CA: device-ca.pem, device-ca.key, and of each school's authority that was made a copy of the
/// certificate, schools/SCHOOL-SERIAL.pem.
namespace schultor::city {

struct DeviceAuthorityFiles {
  explicit DeviceAuthorityFiles(const std::string& directory);
  std::string certificate;
  std::string key;
  std::string schools;
};

/// A school's authority that was made once.
struct MadeAuthority {
  std::string school;
  cache::Certificate certificate;
};

[[nodiscard]] base::Result<cache::Certificate> read_device_certificate(const DeviceAuthorityFiles& files);
/// Asks for the passphrase where the key is encrypted.
[[nodiscard]] base::Result<cache::Signer> read_device_authority(const DeviceAuthorityFiles& files,
                                                                const std::optional<std::string>& passphrase_file);
/// In the order of their names.
[[nodiscard]] base::Result<std::vector<MadeAuthority>> made_authorities(const DeviceAuthorityFiles& files);
[[nodiscard]] base::Result<void> keep_made(const DeviceAuthorityFiles& files, const std::string& school,
                                           const cache::Certificate& certificate);

}  // namespace schultor::city
