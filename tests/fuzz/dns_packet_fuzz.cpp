// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Any octets, as a question of a tablet's and as the resolver's answer to one. The first octet picks the question.
#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"
#include "daemon/dns/svcb.hpp"

#include <cstdint>
#include <cstdlib>

using namespace schultor::dns;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// What the gate writes it also reads, within the limit.
void check_written(const Query& query, const Answer& answer, std::size_t limit) {
  const auto packet = write_answer(query, answer, limit);
  require(packet.size() <= std::max(limit, limits::plain_udp_answer));
  if (!query.has_question || query.klass != class_in || query.opcode != 0) return;
  const auto head = read_response_head(packet);
  require(head && head->id == query.id && head->name == query.name && head->type == query.type);
  require(read_response(packet, query).has_value());
}

void as_question(ByteView packet) {
  const auto query = read_query(packet);
  if (!query) return;
  require(query->fault != Rcode::no_error || query->has_question);
  check_written(*query, failure(query->fault), udp_limit(*query));
  if (!query->has_question) return;
  auto over_tcp = failure(query->fault, Ede::other);
  if (query->keepalive) over_tcp.keepalive = limits::tcp_idle;
  check_written(*query, over_tcp, limits::tcp_answer);
  check_written(*query, refusal(*query, Rcode::nx_domain, Ede::filtered, limits::refusal_ttl), udp_limit(*query));
  const auto text = query->name.lower_text();
  require(text.size() < 4 * 255);
  // What goes to the resolver is a question that reads back as the same.
  const auto again = read_query(write_question(7, *query, limits::upstream_answer));
  require(again && again->fault == Rcode::no_error && again->name == query->name && again->type == query->type);
}

void as_response(ByteView packet, const Query& query) {
  auto answer = read_response(packet, query);
  if (!answer) return;
  for (const auto& record : answer->answers)
    if (const auto binding = record.type == rr::https ? read_service_binding(record) : std::nullopt)
      require(write_service_binding(*binding) == record.data);
  cap_ttls(*answer, limits::ttl_cap);
  for (const auto& record : answer->answers) require(record.ttl <= limits::ttl_cap.count());
  check_written(query, *answer, limits::udp_answer);
  check_written(query, *answer, limits::tcp_answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView packet(data + 1, size - 1);
  as_question(packet);
  Query query;
  query.has_question = true;
  query.name = name_from_text("www.lernen.test").value();
  constexpr std::uint16_t types[] = {rr::a, rr::aaaa, rr::mx, rr::https, rr::naptr, rr::srv, rr::txt, rr::cname};
  query.type = types[data[0] & 7U];
  query.klass = class_in;
  if ((data[0] & 8U) != 0) query.edns = Edns{1232, true};
  as_response(packet, query);
  return 0;
}
