// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/authority.hpp"

#include "daemon/base/text.hpp"
#include "daemon/cache/certificate_builder.hpp"
#include "daemon/cache/name_constraints.hpp"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace schultor::cache {
namespace {

using Faults = std::vector<std::string>;

/// RSA of 2,048 bits, P-224.
constexpr int least_security_bits = 112;
constexpr std::size_t longest_shown_name = 80;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void check_use(const Certificate& authority, Faults& faults) {
  auto* certificate = authority.get();
  const auto flags = X509_get_extension_flags(certificate);
  if ((flags & EXFLAG_INVALID) != 0) return faults.emplace_back("its extensions are malformed"), void();
  if ((flags & EXFLAG_CRITICAL) != 0) faults.emplace_back("it has a critical extension that is not known here");
  if ((flags & EXFLAG_SI) != 0)
    faults.emplace_back("it is a root: what tablets trust directly may not be bound by its constraints");
  if ((flags & EXFLAG_CA) == 0) faults.emplace_back("it is none (basic constraints say no CA:TRUE)");
  if ((flags & EXFLAG_CA) != 0 && X509_get_pathlen(certificate) != 0)
    faults.emplace_back("it may have authorities below it (no pathlen:0)");
  if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) == 0)
    faults.emplace_back("its key usage does not name keyCertSign");
  if ((flags & EXFLAG_XKUSAGE) == 0 || X509_get_extended_key_usage(certificate) != XKU_SSL_SERVER)
    faults.emplace_back("its extended key usage is not serverAuth alone");
  const auto* key = X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_get_security_bits(key) < least_security_bits) faults.emplace_back("its key is too weak");
}

void check_constraints(const Certificate& authority, std::span<const std::string> hosts, Faults& faults) {
  const auto constraints = name_constraints_of(authority);
  if (!constraints.present) return faults.emplace_back("it has no name constraints: it could speak for every site"), void();
  if (!constraints.readable) return faults.emplace_back("its name constraints are malformed, or there are several"), void();
  if (!constraints.critical) faults.emplace_back("its name constraints are not critical");
  if (constraints.permitted.empty()) faults.emplace_back("its name constraints permit no DNS names, so that all are permitted");
  if (constraints.permits_others) faults.emplace_back("its name constraints permit other names than those of DNS");
  if (!constraints.excludes_ipv4 || !constraints.excludes_ipv6)
    faults.emplace_back("its name constraints do not exclude all IP addresses (0.0.0.0/0 and ::/0)");
  if (!constraints.excludes_mail)
    faults.emplace_back("its name constraints do not exclude all e-mail addresses (an empty rfc822Name)");
  if (!constraints.excludes_uri) faults.emplace_back("its name constraints do not exclude all URIs (an empty one)");
  for (const auto& name : constraints.permitted) {
    const bool is_listed =
        check_host(name) && std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) { return is_within(name, host); });
    if (!is_listed)
      faults.push_back(
          fmt::format("it may speak for “{}”, which is the host of no https origin", base::printable(name, longest_shown_name)));
  }
}

}  // namespace

base::Result<Signer> make_device_authority(Curve curve, std::string_view name, sys_seconds now) {
  auto key = Key::generate(curve);
  if (!key) return base::pass(std::move(key));
  CertificateBuilder builder(*key, {now - backdated, now + device_authority_life});
  builder.common_name(name)
      .extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:1")
      .extension(NID_key_usage, "critical,keyCertSign,cRLSign");
  auto made = builder.sign_itself(*key);
  if (!made) return base::pass(std::move(made));
  return Signer{std::move(*made), std::move(*key)};
}

base::Result<Signer> make_school_authority(const Signer& device, std::string_view name, std::span<const std::string> hosts,
                                           sys_seconds now) {
  if (hosts.empty()) return base::fail("there is no host that it could speak for");
  for (const auto& host : hosts)
    if (auto checked = check_host(host); !checked) return base::pass(std::move(checked));
  const auto above = device.certificate.validity();
  if (!above || !above->holds(now))
    return base::fail("the device CA has expired or does not begin until later: look at it and at the clock");
  auto key = Key::generate(Curve::p256);
  if (!key) return base::pass(std::move(key));
  CertificateBuilder builder(
      *key, {std::max(now - backdated, above->from), std::min<sys_seconds>(now + school_authority_life, above->until)});
  builder.common_name(name)
      .extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
      .extension(NID_key_usage, "critical,keyCertSign")
      .extension(NID_ext_key_usage, "serverAuth")
      .constrain_to(hosts);
  auto made = builder.sign(device);
  if (!made) return base::pass(std::move(made));
  return Signer{std::move(*made), std::move(*key)};
}

base::Result<Signer> read_authority(std::string_view certificate, std::string_view key) {
  auto all = Certificate::all_from_pem(certificate);
  if (!all) return base::pass(std::move(all), "its certificate");
  if (all->size() != 1) return base::fail("its certificate: there are {}, expected the school's alone", all->size());
  auto own = Key::from_pem(key);
  if (!own) return base::pass(std::move(own), "its key");
  if (!all->front().belongs_to(*own)) return base::fail("its key belongs to another certificate");
  return Signer{std::move(all->front()), std::move(*own)};
}

std::vector<std::string> faults_of(const Certificate& authority, std::span<const std::string> hosts) {
  Faults faults;
  if (!authority.validity()) faults.emplace_back("it bears a date that cannot be read");
  check_use(authority, faults);
  check_constraints(authority, hosts, faults);
  return faults;
}

FoundAuthority find_authority(std::string_view certificate, std::string_view key, std::span<const std::string> hosts,
                              sys_seconds now) {
  FoundAuthority found;
  if (is_blank(certificate) && is_blank(key)) return found;
  auto read = read_authority(certificate, key);
  if (!read) {
    found.refusal = read.error().what();
    return found;
  }
  const auto validity = read->certificate.validity();
  auto faults = faults_of(read->certificate, hosts);
  if (validity) {
    found.ends = validity->until;
    if (now < validity->from) faults.emplace_back("it is not valid until later: look at the clock");
    if (now > validity->until) faults.emplace_back("it has expired");
  }
  found.refusal = fmt::format("{}", fmt::join(faults, "; "));
  if (faults.empty()) found.usable = std::move(*read);
  return found;
}

}  // namespace schultor::cache
