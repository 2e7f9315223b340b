// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/x509.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace schultor::cache {

/// A certificate that is being made: version 3, with a random serial number of 128 bits. A step that fails makes sign() fail.
class CertificateBuilder {
public:
  /// For `key`, from `validity.from` until `validity.until`.
  CertificateBuilder(const Key& key, const Validity& validity);

  /// The common name, 64 characters at most; where it is empty or longer there is none, and the subject stays empty.
  CertificateBuilder& common_name(std::string_view name);
  CertificateBuilder& organisation(std::string_view name);
  /// An extension as libcrypto's configuration writes it ("critical,CA:FALSE"). Never what somebody else wrote.
  CertificateBuilder& extension(int nid, const char* value);
  CertificateBuilder& alternative_name(const std::string& host);
  /// Critical: permits these hosts and nothing else (make_name_constraints()).
  CertificateBuilder& constrain_to(std::span<const std::string> hosts);

  /// Signed by itself, or by `signer`, with the identifiers of both keys. Once.
  [[nodiscard]] base::Result<Certificate> sign_itself(const Key& own);
  [[nodiscard]] base::Result<Certificate> sign(const Signer& signer);

private:
  [[nodiscard]] base::Result<Certificate> finish(x509_st* issuer, const Key& key);
  void add_text(int nid, std::string_view text);

  std::unique_ptr<x509_st, void (*)(x509_st*)> certificate_;
  bool good_;
};

}  // namespace schultor::cache
