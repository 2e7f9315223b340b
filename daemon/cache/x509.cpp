// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/x509.hpp"

#include "daemon/base/text.hpp"
#include "daemon/policy/name_patterns.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace schultor::cache {
namespace {

struct Freeing {
  void operator()(BIO* bio) const noexcept { BIO_free_all(bio); }
  void operator()(PKCS8_PRIV_KEY_INFO* info) const noexcept { PKCS8_PRIV_KEY_INFO_free(info); }
  void operator()(X509_SIG* encrypted) const noexcept { X509_SIG_free(encrypted); }
};
template <typename T>
using Owned = std::unique_ptr<T, Freeing>;

/// Certificates that one text may hold.
constexpr std::size_t most_certificates = 16;
constexpr std::size_t longest_shown_name = 200;
/// The cost of trying a passphrase: 16 MiB and about 50 ms.
constexpr std::uint64_t scrypt_cost = 1U << 14U;

Owned<BIO> reading(std::string_view text) { return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }
Owned<BIO> writing() { return Owned<BIO>(BIO_new(BIO_s_mem())); }

std::string written(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

struct Passphrase {
  const std::optional<std::string>& known;
  bool asked = false;
};

/// pem_password_cb: without one of its own libcrypto would ask at the terminal.
int give_passphrase(char* buffer, int size, int /*writing*/, void* asked_by) {
  auto& passphrase = *static_cast<Passphrase*>(asked_by);
  passphrase.asked = true;
  if (!passphrase.known || passphrase.known->size() > static_cast<std::size_t>(size)) return -1;
  std::copy(passphrase.known->begin(), passphrase.known->end(), buffer);
  return static_cast<int>(passphrase.known->size());
}

std::optional<sys_seconds> instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const auto day = std::chrono::year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

std::string text_of(const X509_NAME* name) {
  const auto bio = writing();
  constexpr unsigned long flags = (XN_FLAG_ONELINE | ASN1_STRFLGS_UTF8_CONVERT) & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, flags) < 0) return {};
  return base::printable(written(bio.get()), longest_shown_name);
}

}  // namespace

Key::Key(evp_pkey_st* owned) : key_(owned, EVP_PKEY_free) {}

base::Result<Key> Key::generate(Curve curve) {
  auto* key = EVP_EC_gen(curve == Curve::p256 ? "P-256" : "P-384");
  if (key == nullptr) return base::fail("a key cannot be made: {}", crypto_error());
  return Key(key);
}

base::Result<Key> Key::from_pem(std::string_view pem, const std::optional<std::string>& passphrase) {
  if (pem.size() > largest_pem) return base::fail("it is larger than {} octets: no private key", largest_pem);
  ERR_clear_error();
  const auto bio = reading(pem);
  Passphrase given{passphrase};
  auto* key = bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &given) : nullptr;
  if (key != nullptr) return Key(key);
  const auto why = crypto_error();
  if (given.asked && !passphrase) return base::fail("the private key is encrypted, and there is no passphrase");
  if (given.asked) return base::fail("the private key is encrypted with another passphrase");
  return base::fail("there is no private key in PEM ({})", why);
}

base::Result<std::string> Key::to_pem(const std::optional<std::string>& passphrase) const {
  const auto bio = writing();
  const Owned<PKCS8_PRIV_KEY_INFO> info(EVP_PKEY2PKCS8(get()));
  bool done = bio && info;
  if (done && passphrase) {
    auto* method = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, scrypt_cost, 8, 1);
    const Owned<X509_SIG> encrypted(
        method == nullptr ? nullptr : PKCS8_set0_pbe(passphrase->data(), static_cast<int>(passphrase->size()), info.get(), method));
    // What was encrypted owns its method.
    if (!encrypted) X509_ALGOR_free(method);
    done = encrypted && PEM_write_bio_PKCS8(bio.get(), encrypted.get()) == 1;
  } else if (done) {
    done = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), info.get()) == 1;
  }
  if (!done) return base::fail("a private key cannot be written: {}", crypto_error());
  return written(bio.get());
}

Certificate::Certificate(x509_st* owned) : certificate_(owned, X509_free) {}

base::Result<std::vector<Certificate>> Certificate::all_from_pem(std::string_view pem) {
  if (pem.size() > largest_pem) return base::fail("it is larger than {} octets: no certificate", largest_pem);
  ERR_clear_error();
  const auto bio = reading(pem);
  const std::optional<std::string> none;
  Passphrase unknown{none};
  std::vector<Certificate> all;
  while (auto* one = bio ? PEM_read_bio_X509(bio.get(), nullptr, give_passphrase, &unknown) : nullptr) {
    all.emplace_back(one);
    if (all.size() > most_certificates) return base::fail("it holds more than {} certificates", most_certificates);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const auto why = crypto_error();
  if (!at_end) return base::fail("a certificate in it cannot be read ({})", why);
  if (all.empty()) return base::fail("there is no certificate in PEM");
  return all;
}

std::string Certificate::to_pem() const {
  const auto bio = writing();
  if (!bio || PEM_write_bio_X509(bio.get(), get()) != 1) return {};
  return written(bio.get());
}

std::optional<Validity> Certificate::validity() const {
  const auto from = instant_of(X509_get0_notBefore(get()));
  const auto until = instant_of(X509_get0_notAfter(get()));
  if (!from || !until) return std::nullopt;
  return Validity{*from, *until};
}

Fingerprint Certificate::fingerprint() const {
  Fingerprint digest{};
  unsigned size = 0;
  X509_digest(get(), EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

std::string Certificate::subject() const { return text_of(X509_get_subject_name(get())); }
std::string Certificate::issuer() const { return text_of(X509_get_issuer_name(get())); }

std::string Certificate::serial() const {
  const auto* serial = X509_get0_serialNumber(get());
  std::string text;
  for (int i = 0; i < serial->length; ++i) text += fmt::format("{:02x}", serial->data[i]);
  return text;
}

bool Certificate::belongs_to(const Key& key) const {
  const auto* own = X509_get0_pubkey(get());
  const bool equal = own != nullptr && EVP_PKEY_eq(own, key.get()) == 1;
  ERR_clear_error();
  return equal;
}

std::string crypto_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const auto* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "libcrypto does not say why" : reason;
}

base::Result<void> check_host(std::string_view host) {
  const auto pattern = policy::parse_pattern(host, {});
  if (!pattern) return tl::unexpected<base::Error>(pattern.error());
  if (pattern->text != host || host.find_first_of("*_") != std::string_view::npos || host.find('.') == std::string_view::npos)
    return base::fail("“{}” is not the whole name of a host, in lower case, such as “packages.example.org”",
                      base::printable(host, 80));
  return {};
}

}  // namespace schultor::cache
