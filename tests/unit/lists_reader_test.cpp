// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/name.hpp"
#include "daemon/lists/reader.hpp"
#include "tests/catch.hpp"

#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::lists;

namespace {

using Lines = std::vector<std::string>;

/// Writes down what it is told: "self a.example", "net 192.0.2.0/24", "3:1 junk: …".
class Notes final : public Sink {
public:
  void name(std::string_view name, Scope scope) override {
    entries.push_back(std::string(scope == Scope::self ? "self " : scope == Scope::below ? "below " : "") + std::string(name));
  }
  void prefix(const base::Prefix& prefix) override { entries.push_back("net " + base::to_string(prefix)); }
  void left_out(LeftOut kind, Place place, std::string_view text, std::string_view) override {
    left.push_back(fmt::format("{}:{} {} {}", place.line, place.column, kind == LeftOut::junk ? "junk" : "unusable", text));
  }

  Lines entries;
  Lines left;
};

void check(Format format, std::string_view text, const Lines& entries, const Lines& left = {}) {
  Notes notes;
  read_list(text, format, notes);
  CHECK(notes.entries == entries);
  CHECK(notes.left == left);
}

std::string fault_of(std::string_view text, Labels labels = Labels::at_least_two) {
  NameBuffer buffer{};
  return std::string(read_name(text, labels, buffer).fault);
}

std::string name_of(std::string_view text) {
  NameBuffer buffer{};
  return std::string(read_name(text, Labels::any, buffer).name);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (; times > 0; --times) all += text;
  return all;
}

}  // namespace

TEST_CASE("a name has one spelling") {
  CHECK(name_of("Spiele.EXAMPLE.") == "spiele.example");
  CHECK(name_of("_dmarc.a-b.example") == "_dmarc.a-b.example");
  CHECK(name_of("bücher.example") == "xn--bcher-kva.example");
  CHECK(name_of("BÜCHER.example.") == "xn--bcher-kva.example");
  CHECK(name_of("straße.example") == "xn--strae-oqa.example");
  CHECK(name_of("bücher。example") == "xn--bcher-kva.example");
  CHECK(name_of("zip") == "zip");
  CHECK(name_of(repeated("a.", 126) + "a") == repeated("a.", 126) + "a");
}

TEST_CASE("what is no name is none, and why is said") {
  for (const auto* text : {"", ".", "a..example", ".example", "a b.example", "a.example/x", "a.example:80", "\xff.example",
                           "a*.example", "192.0.2.300", "a.1", "-.\x01.example"})
    CHECK_FALSE(fault_of(text).empty());
  CHECK(fault_of("com").find("top-level") != std::string::npos);
  CHECK(fault_of("com", Labels::any).empty());
  CHECK(fault_of(repeated("a", 63) + ".example").empty());
  CHECK_FALSE(fault_of(repeated("a", 64) + ".example").empty());
  CHECK(fault_of(repeated("a.", 126) + "a.").empty());
  CHECK_FALSE(fault_of(repeated("a.", 126) + "aa").empty());
  CHECK_FALSE(fault_of(repeated("ü", 64) + ".example").empty());
}

TEST_CASE("a list of domains: a name means itself and all below it, addresses are kept apart") {
  check(
      Format::domains,
      "\xef\xbb\xbf# a list\r\nSpiele.Example\r\n\r\n  casino.example.  # with a note\n*.unten.example\n.punkt.example\n192.0.2.7\n"
      "198.51.100.0/24\n2001:db8::/32\nlast.example",
      {"spiele.example", "casino.example", "below unten.example", "punkt.example", "net 192.0.2.7/32", "net 198.51.100.0/24",
       "net 2001:db8::/32", "last.example"});
}

TEST_CASE("junk is told by line and column, and hides nothing behind it") {
  check(Format::domains, "com\n\xc3\xbc  x\n  http://a.example/\nads*.example\n1.2.3.4.5\n192.0.2.1/24\na.example\n", {"a.example"},
        {"1:1 junk com", "2:1 junk ü  x", "3:3 junk http://a.example/", "4:1 unusable ads*.example", "5:1 junk 1.2.3.4.5",
         "6:1 junk 192.0.2.1/24"});
  check(Format::domains, repeated("a", longest_line + 1) + "\na.example", {"a.example"}, {"1:1 junk " + repeated("a", 40)});
  check(Format::domains, std::string("\0.example\na.example", 19), {"a.example"}, {std::string("1:1 junk \0.example", 18)});
}

TEST_CASE("a list says nothing about the local network or half of the internet") {
  check(Format::domains,
        "10.0.0.1\n192.168.0.0/24\n127.0.0.1\n0.0.0.0/0\n128.0.0.0/7\n::1\nfe80::1\nfd00::/8\n2000::/3\n224.0.0.1\n8.0.0.0/8\n",
        {"net 8.0.0.0/8"},
        {"1:1 junk 10.0.0.1", "2:1 junk 192.168.0.0/24", "3:1 junk 127.0.0.1", "4:1 junk 0.0.0.0/0", "5:1 junk 128.0.0.0/7",
         "6:1 junk ::1", "7:1 junk fe80::1", "8:1 junk fd00::/8", "9:1 junk 2000::/3", "10:1 junk 224.0.0.1"});
}

TEST_CASE("a hosts file: names that lead nowhere, not those of the machine") {
  check(Format::hosts,
        "127.0.0.1 localhost\n::1 ip6-localhost\nfe80::1%lo0 localhost\n255.255.255.255 broadcasthost\n0.0.0.0 0.0.0.0\n"
        "0.0.0.0 a.example b.example # two\n:: c.example\n0\td.example\n127.0.0.1\te.example\nbare.example\n0.0.0.0 203.0.113.9\n",
        {"a.example", "b.example", "c.example", "d.example", "e.example", "bare.example", "net 203.0.113.9/32"});
  check(Format::hosts, "93.184.216.34 echt.example\n0.0.0.0 bad..example good.example\n0.0.0.0\n", {"good.example"},
        {"1:1 unusable 93.184.216.34", "2:9 junk bad..example", "3:1 junk 0.0.0.0"});
}

TEST_CASE("AdBlock's rules for whole names are kept, those for parts of pages are not") {
  check(Format::adblock,
        "[Adblock Plus 2.0]\n! comment\n# comment\n## "
        "comment\n||ads.example^\n||a.example^|\n||b.example^$important\n||c.example^$all,document\n"
        "||*.d.example^\n||zip^\n||192.0.2.9^\nalone.example\n0.0.0.0 hosts.example\n",
        {"ads.example", "a.example", "b.example", "c.example", "below d.example", "zip", "net 192.0.2.9/32", "self alone.example",
         "hosts.example"});
  check(Format::adblock,
        "@@||ok.example^\n||social.example^$third-party\n||a.example^$important,script\n||a.example/"
        "x^\n||a*b.example^\n||start.exam\n"
        "/regex[0-9]/\n##.banner\na.example##.x\n|http://x.example|\n-banner-\n",
        {},
        {"1:1 unusable @@||ok.example^", "2:19 unusable third-party", "3:24 unusable script", "4:1 unusable ||a.example/x^",
         "5:1 unusable ||a*b.example^", "6:1 unusable ||start.exam", "7:1 unusable /regex[0-9]/", "8:1 unusable ##.banner",
         "9:1 unusable a.example##.x", "10:1 unusable |http://x.example|", "11:1 unusable -banner-"});
  check(Format::adblock, "||^\n||a..example^\n||a.example^$\n", {}, {"1:3 junk ", "2:3 junk a..example", "3:1 junk ||a.example^$"});
}

TEST_CASE("a response policy zone: a name itself, and those below it, by triggers of their own") {
  check(Format::rpz,
        "$TTL 60\n$ORIGIN rpz.test.\n@ IN SOA ns.test. admin.test. (\n  1 ; serial (\n  60 60 60 60 )\n  IN NS ns.test.\n"
        "Exact.example CNAME .\n*.below.example 60 IN CNAME *.\nabs.example.rpz.test. IN 1h CNAME . ; why\ndrop.example CNAME "
        "rpz-drop.\nzip CNAME .\n",
        {"self exact.example", "below below.example", "self abs.example", "self drop.example", "self zip"});
  check(Format::rpz, "rpz.test. 60 IN SOA a. b. 1 2 3 4 5\nx.example.rpz.test. 60 IN CNAME .\n", {"self x.example"});
  check(Format::rpz, "$ORIGIN .\nrpz.test IN SOA a b 1 2 3 4 5\n$ORIGIN example.rpz.test.\nb CNAME .\n@ CNAME .\n",
        {"self b.example", "self example"}, {});
}

TEST_CASE("what a zone says beyond that is told, and so are names of other zones") {
  check(Format::rpz,
        "$ORIGIN rpz.test.\nok.example CNAME rpz-passthru.\nself.example CNAME self.example.\n32.1.2.0.192.rpz-ip CNAME .\n"
        "ns.evil.example.rpz-nsdname CNAME .\nwall.example CNAME garden.example.\nlocal.example A 192.0.2.1\n* CNAME .\n"
        "text.example TXT \"a;b\"\n$INCLUDE x\nelsewhere.example. CNAME .\nhalf\n",
        {},
        {"2:1 unusable ok.example CNAME rpz-passthru.", "3:1 unusable self.example CNAME self.example.",
         "4:1 unusable 32.1.2.0.192.rpz-ip CNAME .", "5:1 unusable ns.evil.example.rpz-nsdname CNAME .",
         "6:1 unusable wall.example CNAME garden.example.", "7:1 unusable local.example A 192.0.2.1", "8:1 unusable * CNAME .",
         "9:1 unusable text.example TXT \"a;b\"", "10:1 unusable $INCLUDE x", "11:1 junk elsewhere.example. CNAME .",
         "12:1 junk half"});
}

TEST_CASE("the format is told by what most lines are, unless the file's name says it") {
  CHECK(detect_format("# a\nspiele.example\ncasino.example\n") == Format::domains);
  CHECK(detect_format("## Hosts ##\n127.0.0.1 localhost\n0.0.0.0 a.example\n") == Format::hosts);
  CHECK(detect_format("! a\n||a.example^\n") == Format::adblock);
  CHECK(detect_format("a.example##.x\n@@||b.example^\nc.example\n") == Format::adblock);
  CHECK(detect_format("$TTL 1\n@ SOA a. b. 1 1 1 1 1\na.example CNAME .\n") == Format::rpz);
  CHECK(detect_format("a.example cname .\n") == Format::rpz);
  CHECK(detect_format("") == Format::domains);
  CHECK(detect_format("a.example\nb.example\n0.0.0.0 c.example\n") == Format::domains);
  CHECK(format_of_file_name("werbung.hosts") == Format::hosts);
  CHECK(format_of_file_name("a.rpz") == Format::rpz);
  CHECK(format_of_file_name("a.adblock") == Format::adblock);
  CHECK(format_of_file_name("a.domains") == Format::domains);
  CHECK_FALSE(format_of_file_name("domains"));
  CHECK_FALSE(format_of_file_name(".hosts"));
  CHECK_FALSE(format_of_file_name("a.txt"));
}
