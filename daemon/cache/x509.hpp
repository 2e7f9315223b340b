// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;
struct x509_st;

/// Certificates and private keys as values (RFC 5280), held by libcrypto.
namespace schultor::cache {

using std::chrono::sys_seconds;

/// Of what is read as PEM: certificates and keys are far smaller.
inline constexpr std::size_t largest_pem = std::size_t{64} << 10U;

/// Both ends belong to it (RFC 5280, 4.1.2.5).
struct Validity {
  sys_seconds from;
  sys_seconds until;

  [[nodiscard]] bool holds(sys_seconds at) const { return from <= at && at <= until; }
  bool operator==(const Validity&) const = default;
};

enum class Curve : std::uint8_t { p256, p384 };

/// A private key. Cheap to copy: copies share it.
class Key {
public:
  [[nodiscard]] static base::Result<Key> generate(Curve curve);
  /// PEM, PKCS#8 or of one algorithm. One that is encrypted takes a passphrase; nobody is asked for it.
  [[nodiscard]] static base::Result<Key> from_pem(std::string_view pem,
                                                  const std::optional<std::string>& passphrase = std::nullopt);

  /// PKCS#8 in PEM; with a passphrase encrypted (PBES2 with scrypt and AES-256).
  [[nodiscard]] base::Result<std::string> to_pem(const std::optional<std::string>& passphrase = std::nullopt) const;
  [[nodiscard]] evp_pkey_st* get() const noexcept { return key_.get(); }

private:
  friend class Certificate;
  explicit Key(evp_pkey_st* owned);
  std::shared_ptr<evp_pkey_st> key_;
};

using Fingerprint = std::array<std::byte, 32>;

/// An X.509 certificate. Cheap to copy: copies share it, and nobody changes it.
class Certificate {
public:
  /// Takes over what a builder has signed.
  explicit Certificate(x509_st* owned);
  /// All certificates of a PEM text, in their order; what lies between them is passed over. Where there is none: an error.
  [[nodiscard]] static base::Result<std::vector<Certificate>> all_from_pem(std::string_view pem);

  [[nodiscard]] std::string to_pem() const;
  /// None where it bears instants that cannot be read.
  [[nodiscard]] std::optional<Validity> validity() const;
  /// SHA-256 of the whole certificate.
  [[nodiscard]] Fingerprint fingerprint() const;
  /// As people read it: "CN = …, O = …"; one line of UTF-8.
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] std::string issuer() const;
  /// In hexadecimal.
  [[nodiscard]] std::string serial() const;
  /// Whether this key is the one that it speaks of.
  [[nodiscard]] bool belongs_to(const Key& key) const;
  [[nodiscard]] x509_st* get() const noexcept { return certificate_.get(); }

private:
  std::shared_ptr<x509_st> certificate_;
};

/// A certificate, and the key that signs in its name.
struct Signer {
  Certificate certificate;
  Key key;
};

/// What libcrypto says was wrong last, and nothing of before any more.
[[nodiscard]] std::string crypto_error();

/// A host as it may stand in a certificate of the cache's: an exact name of at least two labels, lower case, A-labels, no final
/// dot.
[[nodiscard]] base::Result<void> check_host(std::string_view host);

}  // namespace schultor::cache
