// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/city/authority_files.hpp"

#include "tools/city/files.hpp"
#include "tools/city/passphrase.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace schultor::city {
namespace {

namespace fs = std::filesystem;

base::Result<cache::Certificate> read_certificate(const std::string& path) {
  auto text = read(path);
  if (!text) return base::pass(std::move(text));
  auto all = cache::Certificate::all_from_pem(*text);
  if (!all) return base::pass(std::move(all), path);
  return std::move(all->front());
}

base::Result<cache::Key> read_key(const std::string& path, const std::optional<std::string>& passphrase_file) {
  auto text = read(path);
  if (!text) return base::pass(std::move(text));
  std::optional<std::string> secret;
  if (text->find("ENCRYPTED") != std::string::npos) {
    auto given = passphrase(passphrase_file, false);
    if (!given) return base::pass(std::move(given), path);
    secret = std::move(*given);
  }
  auto key = cache::Key::from_pem(*text, secret);
  if (!key) return base::pass(std::move(key), path);
  return key;
}

}  // namespace

DeviceAuthorityFiles::DeviceAuthorityFiles(const std::string& directory)
    : certificate(directory + "/device-ca.pem"), key(directory + "/device-ca.key"), schools(directory + "/schools") {}

base::Result<cache::Certificate> read_device_certificate(const DeviceAuthorityFiles& files) {
  auto certificate = read_certificate(files.certificate);
  if (!certificate && !is_there(files.certificate))
    return base::fail("{}: there is no device CA: “schultor-city ca create” makes one", files.certificate);
  return certificate;
}

base::Result<cache::Signer> read_device_authority(const DeviceAuthorityFiles& files,
                                                  const std::optional<std::string>& passphrase_file) {
  auto certificate = read_device_certificate(files);
  if (!certificate) return base::pass(std::move(certificate));
  auto key = read_key(files.key, passphrase_file);
  if (!key) return base::pass(std::move(key));
  if (!certificate->belongs_to(*key)) return base::fail("{}: this key is not that of {}", files.key, files.certificate);
  return cache::Signer{std::move(*certificate), std::move(*key)};
}

base::Result<std::vector<MadeAuthority>> made_authorities(const DeviceAuthorityFiles& files) {
  std::vector<std::string> names;
  std::error_code error;
  if (is_there(files.schools))
    for (fs::directory_iterator at(files.schools, error), end; !error && at != end; at.increment(error))
      if (at->path().extension() == ".pem") names.push_back(at->path().stem().string());
  if (error) return base::fail("{}: {}", files.schools, error.message());
  std::sort(names.begin(), names.end());
  std::vector<MadeAuthority> all;
  for (const auto& name : names) {
    auto certificate = read_certificate(fmt::format("{}/{}.pem", files.schools, name));
    if (!certificate) return base::pass(std::move(certificate));
    all.push_back({name.substr(0, name.rfind('-')), std::move(*certificate)});
  }
  return all;
}

base::Result<void> keep_made(const DeviceAuthorityFiles& files, const std::string& school, const cache::Certificate& certificate) {
  if (auto made = make_folder(files.schools); !made) return made;
  return create(fmt::format("{}/{}-{}.pem", files.schools, school, certificate.serial()), certificate.to_pem(), 0644);
}

}  // namespace schultor::city
