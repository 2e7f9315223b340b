// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/certificate_builder.hpp"

#include "daemon/cache/name_constraints.hpp"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace schultor::cache {
namespace {

constexpr int serial_bits = 128;
/// RFC 5280, ub-common-name and ub-organization-name.
constexpr std::size_t longest_name = 64;

bool set_random_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> number(BN_new(), BN_free);
  return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_time(ASN1_TIME* time, sys_seconds at) {
  return ASN1_TIME_set(time, static_cast<std::time_t>(at.time_since_epoch().count())) != nullptr;
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
  constexpr int p256_bits = 256;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > p256_bits ? EVP_sha384() : EVP_sha256();
}

}  // namespace

CertificateBuilder::CertificateBuilder(const Key& key, const Validity& validity)
    : certificate_(X509_new(), X509_free), good_(true) {
  ERR_clear_error();
  auto* made = certificate_.get();
  good_ = made != nullptr && X509_set_version(made, X509_VERSION_3) == 1 && set_random_serial(made) &&
          set_time(X509_getm_notBefore(made), validity.from) && set_time(X509_getm_notAfter(made), validity.until) &&
          X509_set_pubkey(made, key.get()) == 1;
}

void CertificateBuilder::add_text(int nid, std::string_view text) {
  if (!good_ || text.empty() || text.size() > longest_name) return;
  good_ =
      X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate_.get()), nid, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()), -1, 0) == 1;
}

CertificateBuilder& CertificateBuilder::common_name(std::string_view name) {
  add_text(NID_commonName, name);
  return *this;
}

CertificateBuilder& CertificateBuilder::organisation(std::string_view name) {
  add_text(NID_organizationName, name);
  return *this;
}

CertificateBuilder& CertificateBuilder::extension(int nid, const char* value) {
  if (!good_) return *this;
  X509V3_CTX context{};
  X509V3_set_ctx(&context, nullptr, certificate_.get(), nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> made(X509V3_EXT_conf_nid(nullptr, &context, nid, value),
                                                                        X509_EXTENSION_free);
  good_ = made && X509_add_ext(certificate_.get(), made.get(), -1) == 1;
  return *this;
}

CertificateBuilder& CertificateBuilder::alternative_name(const std::string& host) {
  if (!good_) return *this;
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(GENERAL_NAMES_new(), GENERAL_NAMES_free);
  auto* name = GENERAL_NAME_new();
  auto* value = ASN1_IA5STRING_new();
  if (!names || name == nullptr || value == nullptr || ASN1_STRING_set(value, host.data(), static_cast<int>(host.size())) != 1 ||
      sk_GENERAL_NAME_push(names.get(), name) == 0) {
    GENERAL_NAME_free(name);
    ASN1_IA5STRING_free(value);
    good_ = false;
    return *this;
  }
  GENERAL_NAME_set0_value(name, GEN_DNS, value);
  good_ = X509_add1_ext_i2d(certificate_.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
  return *this;
}

CertificateBuilder& CertificateBuilder::constrain_to(std::span<const std::string> hosts) {
  if (!good_) return *this;
  const auto constraints = make_name_constraints(hosts);
  good_ = constraints && X509_add1_ext_i2d(certificate_.get(), NID_name_constraints, constraints.get(), 1, X509V3_ADD_DEFAULT) == 1;
  return *this;
}

base::Result<Certificate> CertificateBuilder::sign_itself(const Key& own) { return finish(certificate_.get(), own); }
base::Result<Certificate> CertificateBuilder::sign(const Signer& signer) { return finish(signer.certificate.get(), signer.key); }

base::Result<Certificate> CertificateBuilder::finish(x509_st* issuer, const Key& key) {
  extension(NID_subject_key_identifier, "hash");
  auto* made = certificate_.get();
  if (good_) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, made, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> identifier(
        X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"), X509_EXTENSION_free);
    good_ = identifier && X509_add_ext(made, identifier.get(), -1) == 1 &&
            X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1 && X509_sign(made, key.get(), digest_for(key.get())) > 0;
  }
  if (!good_) return base::fail("a certificate cannot be made: {}", crypto_error());
  return Certificate(certificate_.release());
}

}  // namespace schultor::cache
