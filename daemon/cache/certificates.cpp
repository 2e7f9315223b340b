// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/certificates.hpp"

#include "daemon/cache/certificate_builder.hpp"
#include "daemon/cache/name_constraints.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

namespace schultor::cache {
namespace {

/// What libcrypto finds wrong with `leaf` below `authority`, at whatever time and for whatever host; X509_V_OK: nothing.
int verify(const Certificate& leaf, const Certificate& authority) {
  const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store(X509_STORE_new(), X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context(X509_STORE_CTX_new(), X509_STORE_CTX_free);
  if (!store || !context || X509_STORE_add_cert(store.get(), authority.get()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER) != 1)
    return X509_V_ERR_OUT_OF_MEM;
  // The city's certificate is not here: the authority itself is what is trusted.
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()),
                              X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT | X509_V_FLAG_NO_CHECK_TIME);
  // A chain of one would be a certificate that is trusted because it lies there twice.
  const bool good = X509_verify_cert(context.get()) == 1 && sk_X509_num(X509_STORE_CTX_get0_chain(context.get())) == 2;
  const auto error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return good ? X509_V_OK : error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

bool is_for(const Certificate& leaf, const std::string& host) {
  const bool fits = X509_check_host(leaf.get(), host.data(), host.size(),
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS, nullptr) == 1;
  ERR_clear_error();
  return fits;
}

std::optional<CertificateFault> fault_in_chain(const Certificate& leaf, const Certificate& authority, const std::string& host) {
  const auto verified = verify(leaf, authority);
  const bool violates = verified == X509_V_ERR_PERMITTED_VIOLATION || verified == X509_V_ERR_EXCLUDED_VIOLATION;
  if (verified != X509_V_OK && !violates) return CertificateFault::broken_chain;
  if (violates || !name_constraints_of(authority).permit(host)) return CertificateFault::not_permitted;
  if (!is_for(leaf, host)) return CertificateFault::other_host;
  return std::nullopt;
}

std::optional<CertificateFault> fault_in_time(const Validity& validity, sys_seconds now) {
  if (now < validity.from) return CertificateFault::not_yet_valid;
  if (now > validity.until) return CertificateFault::expired;
  return std::nullopt;
}

}  // namespace

base::Result<std::string> issue(const Signer& authority, const std::string& host, sys_seconds now) {
  if (auto checked = check_host(host); !checked) return base::pass(std::move(checked));
  const auto above = authority.certificate.validity();
  if (!above || !above->holds(now)) return base::fail("the authority is not valid now");
  const auto key = Key::generate(Curve::p256);
  if (!key) return tl::unexpected<base::Error>(key.error());
  CertificateBuilder builder(*key,
                             {std::max(now - backdated, above->from), std::min<sys_seconds>(now + certificate_life, above->until)});
  builder.organisation("Content cache of the school")
      .common_name(host)
      .extension(NID_basic_constraints, "critical,CA:FALSE")
      .extension(NID_key_usage, "critical,digitalSignature")
      .extension(NID_ext_key_usage, "serverAuth")
      .alternative_name(host);
  const auto made = builder.sign(authority);
  if (!made) return tl::unexpected<base::Error>(made.error());
  auto text = key->to_pem();
  if (!text) return text;
  return *text + made->to_pem() + authority.certificate.to_pem();
}

std::string_view to_string(CertificateFault fault) {
  constexpr std::array<std::string_view, 7> words{"cannot be read",
                                                  "has the key of another one",
                                                  "is not signed by the authority beside it",
                                                  "is beyond what its authority may speak for",
                                                  "is another host's",
                                                  "is not valid until later",
                                                  "has expired"};
  return words.at(static_cast<std::size_t>(fault));
}

Examined examine(std::string_view pem, const std::string& host, sys_seconds now) {
  Examined found{CertificateFault::unreadable};
  const auto key = Key::from_pem(pem);
  const auto chain = Certificate::all_from_pem(pem);
  if (!key || !chain || chain->size() != 2) return found;
  const auto& leaf = chain->front();
  const auto& authority = chain->back();
  const auto own = leaf.validity();
  const auto above = authority.validity();
  if (!own || !above) return found;
  found.validity = {std::max(own->from, above->from), std::min(own->until, above->until)};
  found.authority = authority.fingerprint();
  if (!leaf.belongs_to(*key)) {
    found.fault = CertificateFault::other_key;
  } else {
    const auto in_chain = fault_in_chain(leaf, authority, host);
    found.fault = in_chain ? in_chain : fault_in_time(found.validity, now);
  }
  return found;
}

}  // namespace schultor::cache
