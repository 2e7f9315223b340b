// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/city/passphrase.hpp"

#include "tools/city/files.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace schultor::city {
namespace {

base::Result<std::string> ask(bool fresh) {
  std::array<char, 512> typed{};
  const int failed =
      EVP_read_pw_string(typed.data(), static_cast<int>(typed.size()) - 1, "Passphrase of the device CA's key: ", fresh ? 1 : 0);
  std::string text(typed.data(), strnlen(typed.data(), typed.size()));
  OPENSSL_cleanse(typed.data(), typed.size());
  if (failed != 0)
    return base::fail("no passphrase was typed{}: try again, or give --passphrase-file", fresh ? ", or not the same twice" : "");
  return text;
}

}  // namespace

base::Result<std::string> passphrase(const std::optional<std::string>& file, bool fresh) {
  auto text = file ? read(*file) : ask(fresh);
  if (!text) return text;
  text->resize(std::min(text->find_first_of("\r\n"), text->size()));
  if (fresh && text->size() < shortest_passphrase)
    return base::fail("the passphrase has fewer than {} characters: take a longer one", shortest_passphrase);
  return text;
}

}  // namespace schultor::city
