// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/certificates.hpp"

#include "daemon/cache/certificate_builder.hpp"
#include "daemon/cache/name_constraints.hpp"
#include "tests/catch.hpp"

#include <openssl/x509v3.h>

#include <optional>
#include <string>
#include <vector>

using namespace schultor::cache;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

const sys_seconds noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + hours(12);
const std::vector<std::string> hosts{"inhalte.test", "packages.example.org"};
const std::string& host = hosts.front();

Signer device() { return make_device_authority(Curve::p256, "City, devices", noon).value(); }
Signer school(const std::vector<std::string>& of = hosts, sys_seconds at = noon) {
  return make_school_authority(device(), "School", of, at).value();
}

/// An authority that is right but for what `change` makes of it.
struct Shape {
  const char* basic = "critical,CA:TRUE,pathlen:0";
  const char* usage = "critical,keyCertSign";
  const char* extended = "serverAuth";
  const char* constraints = nullptr;  ///< as libcrypto writes them; null: as they are to be
  bool is_root = false;
};
Signer authority_of(const Shape& shape, const std::vector<std::string>& of = hosts) {
  auto key = Key::generate(Curve::p256).value();
  CertificateBuilder builder(key, {noon - backdated, noon + days(365)});
  builder.common_name("School").extension(NID_basic_constraints, shape.basic);
  if (shape.usage != nullptr) builder.extension(NID_key_usage, shape.usage);
  if (shape.extended != nullptr) builder.extension(NID_ext_key_usage, shape.extended);
  if (shape.constraints == nullptr) builder.constrain_to(of);
  else if (*shape.constraints != '\0') builder.extension(NID_name_constraints, shape.constraints);
  return {(shape.is_root ? builder.sign_itself(key) : builder.sign(device())).value(), key};
}

std::string faults(const Shape& shape) {
  return fmt::format("{}", fmt::join(faults_of(authority_of(shape).certificate, hosts), "; "));
}

std::optional<CertificateFault> fault(const std::string& pem, const std::string& of = host, sys_seconds at = noon) {
  return examine(pem, of, at).fault;
}

/// The texts between the lines that begin and end them.
std::vector<std::string> blocks(const std::string& pem) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < pem.size();) {
    const auto end = pem.find('\n', pem.find("-----END", at)) + 1;
    all.push_back(pem.substr(at, end - at));
    at = end;
  }
  return all;
}

/// Name constraints in DER, as libcrypto takes them in hexadecimal.
using Names = std::vector<std::pair<char, std::string>>;  // by their tags in a GeneralName
constexpr char mail = '\x81';
constexpr char dns = '\x82';
constexpr char uri = '\x86';
constexpr char address = '\x87';

std::string element(char tag, const std::string& value) {
  REQUIRE(value.size() < 128);
  return std::string{tag, static_cast<char>(value.size())} + value;
}
std::string constraints(const Names& permitted, const Names& excluded, bool critical = true) {
  std::string parts;
  for (const auto& [tag, names] : {std::pair('\xa0', &permitted), std::pair('\xa1', &excluded)}) {
    std::string subtrees;
    for (const auto& [type, value] : *names) subtrees += element('\x30', element(type, value));
    if (!names->empty()) parts += element(tag, subtrees);
  }
  std::string text = critical ? "critical,DER" : "DER";
  for (const auto octet : element('\x30', parts)) text += fmt::format(":{:02x}", static_cast<unsigned char>(octet));
  return text;
}

const Names nothing_else{{address, std::string(8, '\0')}, {address, std::string(32, '\0')}, {mail, ""}, {uri, ""}};

}  // namespace

SCENARIO("a host's certificate is for it alone, for ninety days from an hour ago") {
  const auto pem = issue(school(), host, noon).value();
  const auto found = examine(pem, host, noon);
  CHECK(found.fault == std::nullopt);
  CHECK(found.validity == Validity{noon - hours(1), noon + days(90)});
  CHECK(fault(pem, "a." + host) == CertificateFault::other_host);
  CHECK(fault(pem, hosts[1]) == CertificateFault::other_host);
  CHECK(fault(pem, "other.test") == CertificateFault::not_permitted);
  CHECK(fault(pem, host, noon - hours(1)) == std::nullopt);
  CHECK(fault(pem, host, noon - hours(1) - seconds(1)) == CertificateFault::not_yet_valid);
  CHECK(fault(pem, host, noon + days(90)) == std::nullopt);
  CHECK(fault(pem, host, noon + days(90) + seconds(1)) == CertificateFault::expired);
  // Each has a key and a number of its own.
  CHECK(blocks(pem)[0] != blocks(issue(school(), host, noon).value())[0]);
}

SCENARIO("no certificate outlives its authority, nor begins before it") {
  const auto at = noon + days(300);
  const auto authority = school();
  CHECK(examine(issue(authority, host, at).value(), host, at).validity == Validity{at - hours(1), noon + days(365)});
  CHECK(examine(issue(authority, host, noon - hours(1)).value(), host, noon).validity.from == noon - hours(1));
  CHECK_FALSE(issue(authority, host, noon + days(365) + seconds(1)));
  CHECK_FALSE(issue(authority, host, noon - hours(1) - seconds(1)));
  CHECK(make_school_authority(device(), "School", hosts, noon + device_authority_life)->certificate.validity()->until ==
        noon + device_authority_life);
  CHECK_FALSE(make_school_authority(device(), "School", hosts, noon + device_authority_life + seconds(1)));
}

SCENARIO("what does not belong together is found out, and how") {
  const auto authority = school();
  const auto one = blocks(issue(authority, host, noon).value());
  const auto two = blocks(issue(authority, host, noon).value());
  REQUIRE(one.size() == 3);
  CHECK(fault(one[0] + one[1] + one[2]) == std::nullopt);
  CHECK(fault(two[0] + one[1] + one[2]) == CertificateFault::other_key);
  CHECK(fault(one[0] + one[1] + school().certificate.to_pem()) == CertificateFault::broken_chain);
  CHECK(fault(one[0] + one[1] + one[1]) == CertificateFault::broken_chain);
  for (const auto& text : {std::string(), one[0], one[1] + one[2], one[0] + one[1], one[0] + one[1] + one[2] + one[2],
                           one[0] + one[1] + one[2].substr(0, one[2].size() / 2), std::string("\0\xff", 2)})
    CHECK(fault(text) == CertificateFault::unreadable);
}

SCENARIO("a name that its authority may not speak for is refused even where the signature is right") {
  const auto authority = school({"other.test"});
  CHECK(fault(issue(authority, host, noon).value()) == CertificateFault::not_permitted);
  CHECK(fault(issue(authority, "other.test", noon).value(), "other.test") == std::nullopt);
  // Excluded beside: whoever looks at what is permitted alone would take it.
  const auto both = authority_of({.constraints = constraints({{dns, host}}, {{dns, host}}).c_str()});
  CHECK(fault(issue(both, host, noon).value()) == CertificateFault::not_permitted);
  CHECK(fault(issue(authority_of({.constraints = ""}), host, noon).value()) == CertificateFault::not_permitted);
}

SCENARIO("the school's authority that the city makes may be used for the listed hosts, and for no fewer") {
  CHECK(faults_of(school().certificate, hosts).empty());
  CHECK(faults_of(school({host}).certificate, hosts).empty());
  CHECK(faults_of(school({"a." + host}).certificate, hosts).empty());
  CHECK(faults_of(school().certificate, std::vector{host}) ==
        std::vector<std::string>{"it may speak for “packages.example.org”, which is the host of no https origin"});
  CHECK(faults_of(school({"test.inhalte"}).certificate, hosts).size() == 1);
  CHECK(faults_of(school().certificate, {}).size() == hosts.size());
}

SCENARIO("an authority that is not bound is refused, and what is wrong is named") {
  CHECK(faults({}).empty());
  CHECK(faults({.constraints = ""}) == "it has no name constraints: it could speak for every site");
  const auto constrained = [](const std::string& text) { return faults({.constraints = text.c_str()}); };
  const auto permitted = [&](const std::string& name) { return constrained(constraints({{dns, name}}, nothing_else)); };
  CHECK(permitted("inhalte.test").empty());
  CHECK(permitted("INHALTE.test").empty());
  for (const auto* name : {"", "*.inhalte.test", ".inhalte.test", "test", "xinhalte.test", "inhalte.test."})
    CHECK(permitted(name) == fmt::format("it may speak for “{}”, which is the host of no https origin", name));
  CHECK(permitted(std::string("inhalte.test\0", 13)) ==
        "it may speak for “inhalte.test\\x00”, which is the host of no https origin");
  CHECK(constrained(constraints({{dns, "inhalte.test"}}, nothing_else, false)) == "its name constraints are not critical");
  CHECK(constrained(constraints({}, nothing_else)) == "its name constraints permit no DNS names, so that all are permitted");
  CHECK(constrained(constraints({{dns, "inhalte.test"}, {mail, "x.test"}}, nothing_else)) ==
        "its name constraints permit other names than those of DNS");
  for (const auto left_out : {0, 1}) {
    auto others = nothing_else;
    others.erase(others.begin() + left_out);
    CHECK(constrained(constraints({{dns, "inhalte.test"}}, others)) ==
          "its name constraints do not exclude all IP addresses (0.0.0.0/0 and ::/0)");
  }
  CHECK(constrained(
            constraints({{dns, "inhalte.test"}}, {{address, {10, 0, 0, 0, -1, 0, 0, 0}}, {mail, "a.test"}, {uri, "a.test"}})) ==
        "its name constraints do not exclude all IP addresses (0.0.0.0/0 and ::/0); its name constraints do not exclude all e-mail "
        "addresses (an empty rfc822Name); its name constraints do not exclude all URIs (an empty one)");
  // A minimum, and what is no sequence.
  CHECK(constrained("critical,DER:30:13:a0:11:30:0f:82:0a:61:61:61:61:61:61:2e:62:62:62:80:01:01") ==
        "its name constraints are malformed, or there are several");
}

SCENARIO("an authority that may do more than name TLS servers is refused") {
  CHECK(faults({.basic = "critical,CA:TRUE"}) == "it may have authorities below it (no pathlen:0)");
  CHECK(faults({.basic = "critical,CA:TRUE,pathlen:1"}) == "it may have authorities below it (no pathlen:0)");
  CHECK(faults({.basic = "critical,CA:FALSE"}).starts_with("it is none (basic constraints say no CA:TRUE)"));
  CHECK(faults({.usage = "critical,digitalSignature"}) == "its key usage does not name keyCertSign");
  CHECK(faults({.usage = nullptr}) == "its key usage does not name keyCertSign");
  CHECK(faults({.extended = nullptr}) == "its extended key usage is not serverAuth alone");
  CHECK(faults({.extended = "serverAuth,clientAuth"}) == "its extended key usage is not serverAuth alone");
  CHECK(faults({.is_root = true}) == "it is a root: what tablets trust directly may not be bound by its constraints");
}

SCENARIO("a school's authority is read with the key that belongs to it, and with no other") {
  const auto authority = school();
  const auto pem = authority.certificate.to_pem();
  const auto key = authority.key.to_pem().value();
  CHECK(read_authority(pem, key)->certificate.fingerprint() == authority.certificate.fingerprint());
  CHECK(read_authority(pem, school().key.to_pem().value()).error().what() == "its key belongs to another certificate");
  CHECK(read_authority(pem + pem, key).error().what() == "its certificate: there are 2, expected the school's alone");
  CHECK(read_authority("", key).error().what() == "its certificate: there is no certificate in PEM");
  CHECK(read_authority(pem, pem).error().what().starts_with("its key: there is no private key in PEM"));
  CHECK(read_authority(pem, authority.key.to_pem("secret").value()).error().what() ==
        "its key: the private key is encrypted, and there is no passphrase");
  CHECK_FALSE(read_authority(pem, std::string(largest_pem + 1, 'x')));
}

SCENARIO("a key is read with the passphrase that it was written with") {
  const auto key = Key::generate(Curve::p384).value();
  const auto pem = key.to_pem("a passphrase").value();
  CHECK(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  CHECK(Key::from_pem(pem, "a passphrase")->to_pem().value() == key.to_pem().value());
  CHECK(Key::from_pem(pem, "another").error().what() == "the private key is encrypted with another passphrase");
  CHECK(Key::from_pem(pem, std::string(5000, 'x')).error().what() == "the private key is encrypted with another passphrase");
}

SCENARIO("only whole names of hosts come into a certificate") {
  for (const auto* bad : {"", "test", "*.inhalte.test", "Inhalte.test", "inhalte.test.", "a_b.test", "10.0.0.1", "a b.test",
                          "ä.test", "inhalte.test,DNS:other.test", ".inhalte.test", "a..test"}) {
    CHECK_FALSE(check_host(bad));
    CHECK_FALSE(issue(school(), bad, noon));
    CHECK_FALSE(make_school_authority(device(), "School", std::vector<std::string>{bad}, noon));
  }
  CHECK(check_host("xn--inhalte-4ya.a-b.example.org"));
  CHECK_FALSE(make_school_authority(device(), "School", {}, noon));
  const std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + ".test";
  CHECK(fault(issue(school({longest}), longest, noon).value(), longest) == std::nullopt);
}
