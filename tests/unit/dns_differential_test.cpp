// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate's reader held against another one, ldns: what is a question, and which addresses an answer holds. Packets as they
// are seen on the wire and mutations of them, from a fixed seed. Every difference that is allowed has its reason here.
#include "daemon/dns/limits.hpp"
#include "daemon/dns/svcb.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

#include <ldns/ldns.h>

#include <map>
#include <memory>
#include <random>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

constexpr int rounds = 50'000;  // of each kind

struct FreeRr {
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
};
using Rr = std::unique_ptr<ldns_rr, FreeRr>;
struct FreeName {
  void operator()(ldns_rdf* name) const { ldns_rdf_deep_free(name); }
};
using LdnsName = std::unique_ptr<ldns_rdf, FreeName>;

std::string lowered(const ldns_rdf* name) {
  LdnsName copy(ldns_rdf_clone(name));
  ldns_dname2canonical(copy.get());
  return {reinterpret_cast<const char*>(ldns_rdf_data(copy.get())), ldns_rdf_size(copy.get())};
}

std::string lowered(const Name& name) {
  std::string text(name.wire().begin(), name.wire().end());
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

std::uint16_t number_at(const Bytes& packet, std::size_t at) {
  return static_cast<std::uint16_t>(packet[at] << 8 | packet[at + 1]);
}

/// A cursor of ldns's over a packet.
struct Cursor {
  const Bytes& packet;
  std::size_t at = 12;

  LdnsName name() {
    ldns_rdf* name = nullptr;
    return LdnsName(ldns_wire2dname(&name, packet.data(), packet.size(), &at) == LDNS_STATUS_OK ? name : nullptr);
  }
  [[nodiscard]] bool has(std::size_t count) const { return packet.size() - at >= count; }
};

struct ReferenceRecord {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  bool valid = false;       // by ldns
  std::string data;         // of an address, or the lowered name of a CNAME
  bool options_fit = true;  // of an OPT record
};

/// Whether options of a code, a length and so many octets each fill an OPT record's data to its end.
bool options_fit(const Bytes& packet, std::size_t at, std::size_t end) {
  while (at + 4 <= end) at += 4U + number_at(packet, at + 2);
  return at == end;
}

/// One record; none when not even its frame can be read.
std::optional<ReferenceRecord> record_at(Cursor& cursor, ldns_pkt_section section) {
  const auto start = cursor.at;
  ldns_rr* read = nullptr;
  auto after = start;
  const bool valid = ldns_wire2rr(&read, cursor.packet.data(), cursor.packet.size(), &after, section) == LDNS_STATUS_OK;
  const Rr record(valid ? read : nullptr);
  // The frame by itself: a record whose data ldns does not take is still a record.
  const auto owner = cursor.name();
  if (!owner || !cursor.has(10)) return std::nullopt;
  ReferenceRecord made{
      lowered(owner.get()), number_at(cursor.packet, cursor.at), number_at(cursor.packet, cursor.at + 2), valid, {}};
  const std::size_t length = number_at(cursor.packet, cursor.at + 8);
  cursor.at += 10;
  if (!cursor.has(length)) return std::nullopt;
  if (made.type == rr::opt) made.options_fit = options_fit(cursor.packet, cursor.at, cursor.at + length);
  cursor.at += length;
  // ldns takes the address from the front of data that is longer than one, and leaves the rest: that is no address record.
  if ((made.type == rr::a && length != 4) || (made.type == rr::aaaa && length != 16)) made.valid = false;
  // Nor one whose last fields are missing.
  if (valid && ldns_rr_rd_count(record.get()) < ldns_rr_descriptor_minimum(ldns_rr_descript(made.type))) made.valid = false;
  // Nor is it one whose names run on into the next record.
  if (after > cursor.at) made.valid = false;
  if (!made.valid || ldns_rr_rd_count(record.get()) == 0) return made;
  const auto* data = ldns_rr_rdf(record.get(), 0);
  if (made.type == rr::cname) made.data = lowered(data);
  else if (made.type == rr::a || made.type == rr::aaaa)
    made.data.assign(reinterpret_cast<const char*>(ldns_rdf_data(data)), ldns_rdf_size(data));
  return made;
}

struct Reference {
  std::string question;
  std::vector<ReferenceRecord> answers;
  bool all_valid = true;
  bool has_dname = false;
};

/// None when a frame is broken.
std::optional<Reference> reference_of(const Bytes& packet) {
  if (packet.size() < 12 || number_at(packet, 4) != 1) return std::nullopt;
  Cursor cursor{packet};
  const auto question = cursor.name();
  if (!question || !cursor.has(4)) return std::nullopt;
  cursor.at += 4;
  Reference made{lowered(question.get()), {}};
  const std::array<std::pair<std::size_t, ldns_pkt_section>, 3> sections{std::pair{std::size_t{6}, LDNS_SECTION_ANSWER},
                                                                         {std::size_t{8}, LDNS_SECTION_AUTHORITY},
                                                                         {std::size_t{10}, LDNS_SECTION_ADDITIONAL}};
  for (const auto& [count_at, section] : sections)
    for (int i = number_at(packet, count_at); i > 0; --i) {
      auto record = record_at(cursor, section);
      if (!record) return std::nullopt;
      made.all_valid = made.all_valid && record->valid;
      made.has_dname = made.has_dname || record->type == rr::dname;
      if (section == LDNS_SECTION_ANSWER) made.answers.push_back(std::move(*record));
    }
  return made;
}

std::vector<std::string> addresses_of(const Reference& reference, std::uint16_t type) {
  std::string current = reference.question;
  const auto of_owner = [&](const ReferenceRecord& record, std::uint16_t wanted) {
    return record.valid && record.klass == class_in && record.type == wanted && record.owner == current;
  };
  for (int hops = 0; hops < limits::cname_chain; ++hops) {
    const auto link = std::find_if(reference.answers.begin(), reference.answers.end(),
                                   [&](const auto& record) { return of_owner(record, rr::cname); });
    if (link == reference.answers.end()) break;
    // A link that was followed is not followed again.
    if (link->data == current) return {};
    current = link->data;
  }
  std::vector<std::string> addresses;
  for (const auto& record : reference.answers)
    if (of_owner(record, type)) addresses.push_back(record.data);
  return addresses;
}

/// Whether some two octets could be read as a pointer to where it stands or further on. Ours must point strictly backwards, and
/// ldns lets them loop a while.
bool has_forward_pointer(const Bytes& packet) {
  for (std::size_t at = 12; at + 1 < packet.size(); ++at)
    if ((packet[at] & 0xc0U) == 0xc0U && (static_cast<std::size_t>(packet[at] & 0x3fU) << 8U | packet[at + 1]) >= at) return true;
  return false;
}

/// Whether some two octets could be read as a pointer to the packet's first one, which ldns does not follow.
bool has_pointer_to_start(const Bytes& packet) {
  for (std::size_t at = 12; at + 1 < packet.size(); ++at)
    if (packet[at] == 0xc0 && packet[at + 1] == 0) return true;
  return false;
}

class Dice {
public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return engine_() % bound; }
  std::uint8_t octet() { return static_cast<std::uint8_t>(engine_()); }

private:
  std::mt19937 engine_;  // its sequence is fixed by the standard, unlike that of the distributions
};

void mutate(Bytes& packet, Dice& dice, const std::vector<Bytes>& seeds) {
  static constexpr std::uint8_t telling[] = {0, 1, 2, 5, 12, 28, 39, 41, 63, 64, 65, 0x7f, 0x80, 0xc0, 0xff};
  for (std::size_t i = dice.below(4); i > 0 && packet.size() > 1; --i) {
    const auto at = dice.below(packet.size());
    switch (dice.below(7)) {
      case 0:
        packet[at] ^= static_cast<std::uint8_t>(1U << dice.below(8));
        break;
      case 1:
        packet[at] = telling[dice.below(std::size(telling))];
        break;
      case 2:
        packet[at] = dice.octet();
        break;
      case 3:
        packet.resize(at + 1);
        break;
      case 4:
        packet.insert(packet.begin() + static_cast<std::ptrdiff_t>(at), dice.octet());
        break;
      case 5:
        packet.erase(packet.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      default: {
        const auto& other = seeds[dice.below(seeds.size())];
        const auto from = dice.below(other.size());
        packet.insert(packet.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
      }
    }
  }
}

std::vector<Bytes> question_seeds() {
  std::vector<Bytes> seeds;
  for (const auto* asked : {"lernen.test", "WwW.LerNEN.test", "a.b.c.d.e.f.g.schule.example", "test", "", "_dns.resolver.arpa"})
    for (const std::uint16_t type : {rr::a, rr::aaaa, rr::https, rr::any, rr::txt})
      for (const bool edns : {false, true}) seeds.push_back(question({asked, type, 7, edns, 4096, edns}));
  return seeds;
}

std::vector<Bytes> answer_seeds() {
  const auto host_name = name("mail.lernen.test");
  const auto wire = host_name.wire();
  Bytes mx{0, 10};
  mx.insert(mx.end(), wire.begin(), wire.end());
  Bytes soa;
  for (int i = 0; i < 2; ++i) soa.insert(soa.end(), wire.begin(), wire.end());
  soa.resize(soa.size() + 20, 1);
  std::vector<Bytes> seeds;
  for (const std::uint16_t type : {rr::a, rr::aaaa}) {
    const auto asked = question({"www.lernen.test", type, 7, true, 1232, true});
    const auto* host = type == rr::a ? "198.51.100.20" : "2001:db8:51::20";
    seeds.push_back(response(asked, {{address_record("www.lernen.test", host), address_record("www.lernen.test", host)}, {}, {}}));
    seeds.push_back(response(asked, {{name_record("www.lernen.test", rr::cname, "edge.cdn.test"),
                                      name_record("edge.cdn.test", rr::cname, "e7.cdn.test"),
                                      address_record("e7.cdn.test", host),
                                      {name("www.lernen.test"), rr::mx, 60, mx},
                                      {name("www.lernen.test"), rr::txt, 60, {2, 'h', 'i'}}},
                                     {name_record("test", rr::ns, "ns.test")},
                                     {address_record("ns.test", host), {Name(), rr::opt, 0, {0, 15, 0, 2, 0, 22}}}}));
    seeds.push_back(response(asked, {{}, {{name("test"), rr::soa, 60, soa}}, {}, 0x8183}));
    seeds.push_back(
        response(asked, {{name_record("www.lernen.test", rr::cname, "www.lernen.test"), address_record("x.test", host)}, {}, {}}));
  }
  return seeds;
}

std::string hex(const Bytes& packet) {
  std::string text;
  for (const auto octet : packet) text += fmt::format("{:02x}", octet);
  return text;
}

}  // namespace

TEST_CASE("ours and ldns agree on what is a question, and on which") {
  const auto seeds = question_seeds();
  Dice dice(20261125);
  std::map<std::string, int> seen;
  for (int i = 0; i < rounds; ++i) {
    Bytes packet = seeds[dice.below(seeds.size())];
    mutate(packet, dice, seeds);
    const auto query = read_query(packet);
    const bool ours = query && (query->fault == Rcode::no_error || query->fault == Rcode::bad_version);
    ldns_pkt* parsed = nullptr;
    const bool read = ldns_wire2pkt(&parsed, packet.data(), packet.size()) == LDNS_STATUS_OK;
    const std::unique_ptr<ldns_pkt, void (*)(ldns_pkt*)> held(read ? parsed : nullptr, ldns_pkt_free);
    const bool theirs = read && !ldns_pkt_qr(parsed) && ldns_pkt_get_opcode(parsed) == LDNS_PACKET_QUERY &&
                        number_at(packet, 4) == 1 && number_at(packet, 6) == 0 && number_at(packet, 8) == 0;
    INFO(hex(packet));
    if (ours && theirs) {
      ++seen["both"];
      const auto* question = ldns_rr_list_rr(ldns_pkt_question(parsed), 0);
      REQUIRE(lowered(ldns_rr_owner(question)) == lowered(query->name));
      REQUIRE(ldns_rr_get_type(question) == query->type);
      REQUIRE(ldns_rr_get_class(question) == query->klass);
    } else if (theirs) {
      // ldns leaves what follows the last record, takes a second OPT and one whose owner is not the root, does not look into
      // options, and follows forward pointers.
      std::size_t end = 12;
      Cursor cursor{packet};
      std::size_t opts = 0;
      bool owned = false, cut = false;
      const auto question = cursor.name();
      cursor.at += 4;
      for (int n = number_at(packet, 10); n > 0; --n) {
        const auto record = record_at(cursor, LDNS_SECTION_ADDITIONAL);
        REQUIRE(record);
        opts += record->type == rr::opt ? 1 : 0;
        owned = owned || (record->type == rr::opt && record->owner.size() != 1);
        cut = cut || !record->options_fit;
      }
      end = cursor.at;
      const char* reason = end != packet.size()               ? "octets behind the last record"
                           : opts > 1                         ? "two OPT records"
                           : owned                            ? "an OPT record of some name"
                           : cut                              ? "an option that is cut off"
                           : packet.size() > limits::question ? "too long"
                           : has_forward_pointer(packet)      ? "a pointer that does not point back"
                                                              : nullptr;
      REQUIRE(reason != nullptr);
      ++seen[reason];
    } else if (ours && has_pointer_to_start(packet)) {
      ++seen["a pointer to the packet's start"];
    } else if (ours) {
      // Nothing of an additional record but an OPT's frame is read: its data decides nothing.
      Cursor cursor{packet};
      REQUIRE(cursor.name());
      cursor.at += 4;
      bool some_invalid = false;
      for (int n = number_at(packet, 10); n > 0; --n) {
        const auto record = record_at(cursor, LDNS_SECTION_ADDITIONAL);
        REQUIRE(record);
        some_invalid = some_invalid || !record->valid || record->type == rr::opt;
      }
      REQUIRE(some_invalid);
      ++seen["data of an additional record"];
    } else {
      ++seen["neither"];
    }
  }
  // The comparison is one: both outcomes are common.
  CHECK(seen["both"] > rounds / 10);
  CHECK(seen["neither"] > rounds / 10);
}

TEST_CASE("ours and ldns agree on which addresses an answer holds") {
  const auto seeds = answer_seeds();
  Dice dice(20261126);
  std::map<std::string, int> seen;
  for (int i = 0; i < rounds; ++i) {
    const auto& seed = seeds[dice.below(seeds.size())];
    Bytes packet = seed;
    mutate(packet, dice, seeds);
    const auto head = read_response_head(packet);
    if (!head || (head->type != rr::a && head->type != rr::aaaa)) continue;
    Query query;
    query.name = head->name;
    query.type = head->type;
    query.klass = class_in;
    query.has_question = true;
    const auto answer = read_response(packet, query);
    const auto reference = reference_of(packet);
    INFO(hex(packet));
    if (answer && reference) {
      if (reference->has_dname) continue;  // ours follows it, this reference does not
      std::vector<std::string> addresses;
      for (const auto& record : answer->answers)
        if (const auto one = address_of(record); one && record.type == query.type)
          addresses.emplace_back(one->bytes().begin(), one->bytes().end());
      REQUIRE(addresses == addresses_of(*reference, query.type));
      ++seen[addresses.empty() ? "both, without addresses" : "both, with addresses"];
    } else if (reference) {
      // Ours refuses the whole answer for one record whose names are broken, for very many, and for forward pointers.
      const auto count = std::size_t{number_at(packet, 6)} + number_at(packet, 8) + number_at(packet, 10);
      REQUIRE((!reference->all_valid || count > limits::records || has_forward_pointer(packet)));
      ++seen["ours refuses"];
    } else {
      REQUIRE((!answer || has_pointer_to_start(packet)));
      ++seen["neither"];
    }
  }
  CHECK(seen["both, with addresses"] > rounds / 10);
  CHECK(seen["neither"] > rounds / 50);
}
