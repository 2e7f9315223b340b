// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// What lies on the box as a certificate, an authority or a key: PEM, or what is in it. An authority that passes is bound to the
// hosts.
#include "daemon/cache/authority.hpp"
#include "daemon/cache/certificates.hpp"
#include "daemon/cache/name_constraints.hpp"

#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace schultor::cache;

namespace {

/// What is no PEM becomes one: a change of an octet then changes one octet of a certificate.
std::string as_pem(std::string_view data) {
  if (data.starts_with("-----")) return std::string(data);
  std::vector<unsigned char> encoded((data.size() + 2) / 3 * 4 + 1);
  EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(data.data()), static_cast<int>(data.size()));
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  const std::string_view base64(reinterpret_cast<const char*>(encoded.data()));
  for (std::size_t at = 0; at < base64.size(); at += 64) pem.append(base64.substr(at, 64)).append("\n");
  return pem + "-----END CERTIFICATE-----\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_pem({reinterpret_cast<const char*>(data), size});
  const std::vector<std::string> hosts{"inhalte.test"};
  const sys_seconds now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);
  const auto all = Certificate::all_from_pem(text);
  if (!all) return 0;
  static_cast<void>(examine(text, hosts.front(), now));
  static_cast<void>(find_authority(text, text, hosts, now));
  for (const auto& one : *all) {
    static_cast<void>(one.subject() + one.issuer() + one.serial());
    if (!faults_of(one, hosts).empty()) continue;
    const auto constraints = name_constraints_of(one);
    if (!constraints.critical || constraints.permitted.empty()) std::abort();
    for (const auto& name : constraints.permitted)
      if (!is_within(name, hosts.front())) std::abort();
  }
  return 0;
}
