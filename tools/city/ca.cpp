// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/file.hpp"
#include "daemon/base/text.hpp"
#include "daemon/cache/authority.hpp"
#include "daemon/cache/name_constraints.hpp"
#include "tools/city/authority_files.hpp"
#include "tools/city/commands.hpp"
#include "tools/city/files.hpp"
#include "tools/city/passphrase.hpp"

#include <date/date.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace schultor::city {
namespace {

using cache::sys_seconds;
using json = nlohmann::ordered_json;

constexpr std::string_view subject_prefix = "Content cache of ";
constexpr std::size_t longest_school = cache::longest_common_name - subject_prefix.size();

template <typename T>
Exit give_up(const base::Result<T>& failed) {
  complain(failed.error().what());
  return Exit::failed;
}

Exit refuse(std::string_view why) {
  complain(why);
  return Exit::refused;
}

sys_seconds now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

bool is_school(std::string_view name) {
  return !name.empty() && name.size() <= longest_school &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

/// Each once, in their order.
std::vector<std::string> sorted(std::vector<std::string> hosts) {
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  return hosts;
}

base::Result<void> put(const std::string& path, std::string_view text, mode_t mode, bool replace) {
  return replace ? base::replace_file(path, path + ".new", text, mode) : create(path, text, mode);
}

json describe(const cache::Certificate& certificate) {
  const auto validity = certificate.validity();
  return {{"subject", certificate.subject()},
          {"serial", certificate.serial()},
          {"from", validity ? json(date::format("%FT%TZ", validity->from)) : json(nullptr)},
          {"until", validity ? json(date::format("%FT%TZ", validity->until)) : json(nullptr)}};
}

/// "until 2027-11-27", and whether that is past or soon.
std::string end_of(const cache::Certificate& certificate) {
  const auto validity = certificate.validity();
  if (!validity) return "bears no date that can be read";
  const auto days = std::chrono::floor<std::chrono::days>(validity->until - now());
  const auto date = date::format("%F", validity->until);
  if (days.count() < 0) return fmt::format("expired on {}", date);
  return fmt::format("until {} ({} days)", date, days.count());
}

}  // namespace

Exit create_device_authority(const Request& request) {
  const DeviceAuthorityFiles files(*request.directory);
  if (request.name->empty() || request.name->size() > cache::longest_common_name || base::printable(*request.name) != *request.name)
    return refuse(fmt::format("--name: expected one to {} characters that can be seen, such as “City of Musterstadt, devices”",
                              cache::longest_common_name));
  for (const auto& path : {files.certificate, files.key})
    if (is_there(path))
      return refuse(fmt::format("{} is there already: take another --dir; a device CA is never written over", path));
  std::optional<std::string> secret;
  if (!request.plain) {
    auto given = passphrase(request.passphrase_file, true);
    if (!given) return give_up(given);
    secret = std::move(*given);
  }
  const auto curve = request.curve == "p384" ? cache::Curve::p384 : cache::Curve::p256;
  const auto made = cache::make_device_authority(curve, *request.name, now());
  if (!made) return give_up(made);
  const auto key = made->key.to_pem(secret);
  if (!key) return give_up(key);
  if (const auto folder = make_folder(*request.directory); !folder) return give_up(folder);
  // The key first: a certificate without one is the worse half.
  if (const auto written = create(files.key, *key, 0600); !written) return give_up(written);
  if (const auto written = create(files.certificate, made->certificate.to_pem(), 0644); !written) return give_up(written);
  fmt::print("{}  goes to school-owned tablets by MDM\n{}  stays in the operations centre\n", files.certificate, files.key);
  return Exit::done;
}

Exit create_school_authority(const Request& request) {
  const DeviceAuthorityFiles files(*request.directory);
  const auto certificate_path = *request.out + "/ca.pem";
  const auto key_path = *request.out + "/ca.key";
  if (!is_school(*request.name))
    return refuse(
        fmt::format("--name: expected the school's name as in gateway.toml: [a-z0-9-], {} characters at most", longest_school));
  for (const auto& host : request.hosts)
    if (const auto checked = cache::check_host(host); !checked) return refuse(fmt::format("--host: {}", checked.error().what()));
  for (const auto& path : {certificate_path, key_path})
    if (!request.replace && is_there(path))
      return refuse(fmt::format("{} is there already: take another --out, or --replace", path));
  const auto device = read_device_authority(files, request.passphrase_file);
  if (!device) return give_up(device);
  const auto hosts = sorted(request.hosts);
  const auto made = cache::make_school_authority(*device, fmt::format("{}{}", subject_prefix, *request.name), hosts, now());
  if (!made) return give_up(made);
  // What a school's box would refuse is not made.
  if (const auto faults = cache::faults_of(made->certificate, hosts); !faults.empty())
    return refuse(fmt::format("{}: a school's box would refuse it: {}", files.certificate, fmt::join(faults, "; ")));
  const auto key = made->key.to_pem();
  if (!key) return give_up(key);
  // What was made is known before it is anywhere else.
  if (const auto kept = keep_made(files, *request.name, made->certificate); !kept) return give_up(kept);
  if (const auto folder = make_folder(*request.out); !folder) return give_up(folder);
  if (const auto done = put(key_path, *key, 0600, request.replace); !done) return give_up(done);
  if (const auto done = put(certificate_path, made->certificate.to_pem(), 0644, request.replace); !done) return give_up(done);
  fmt::print("{}, {}  go into /etc/schultor/credentials of the school's box; {}\n", certificate_path, key_path,
             end_of(made->certificate));
  return Exit::done;
}

Exit show_authorities(const Request& request) {
  const DeviceAuthorityFiles files(*request.directory);
  const auto device = read_device_certificate(files);
  if (!device) return give_up(device);
  const auto made = made_authorities(files);
  if (!made) return give_up(made);
  if (request.json) {
    auto schools = json::array();
    for (const auto& one : *made) {
      auto described = describe(one.certificate);
      described["school"] = one.school;
      described["hosts"] = cache::name_constraints_of(one.certificate).permitted;
      schools.push_back(std::move(described));
    }
    fmt::print("{}\n", json{{"device", describe(*device)}, {"schools", std::move(schools)}}.dump(2, ' ', false,
                                                                                                 json::error_handler_t::replace));
    return Exit::done;
  }
  fmt::print("{}  {}\n", device->subject(), end_of(*device));
  for (const auto& one : *made)
    fmt::print("  {}  {}  {}\n", one.school, end_of(one.certificate),
               base::printable(fmt::format("{}", fmt::join(cache::name_constraints_of(one.certificate).permitted, " "))));
  return Exit::done;
}

}  // namespace schultor::city
