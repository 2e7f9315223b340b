// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/dump.hpp"

#include "netfilter/kernel/acknowledgement.hpp"
#include "netfilter/kernel/attribute.hpp"
#include "netfilter/kernel/element.hpp"
#include "netfilter/kernel/expression.hpp"

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <netinet/in.h>

#include <endian.h>
#include <poll.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>

namespace schultor::netfilter::kernel {
namespace {

using namespace model;
using base::fail;
using base::Result;

constexpr int attempts = 64;
constexpr int settling_pause = 25;                  // milliseconds
constexpr std::uint32_t chain_of_a_rule = 1U << 2;  // NFT_CHAIN_BINDING

/// Errors of one exchange with the kernel are errno values, since some of them are answers.
class Reader {
public:
  Reader(mnl_socket& socket, std::uint32_t& sequence, const std::string& table)
      : socket_(socket), sequence_(sequence), table_(table) {}

  /// 0, or an errno value; EINTR when the ruleset changed meanwhile, EAGAIN when a listing was not whole.
  int read(Found& found, bool has_flowtables);
  /// 0, or an errno value; EINTR as above.
  int read(std::vector<CounterValue>& counters);
  /// 0, or an errno value; EINTR as above, EBADMSG for elements that are not of this declaration.
  int visit_elements(const SetDeclaration& set, const std::function<void(const Element&)>& visit);

private:
  using Visit = std::function<void(const nlmsghdr&)>;

  /// Sends a request; `fill` puts its attributes; each message of the answer is visited.
  int exchange(std::uint16_t type, std::uint16_t flags, const std::function<void(nlmsghdr*)>& fill, const Visit& visit);
  int dump(std::uint16_t type, std::uint16_t table_attribute, const Visit& visit);
  int generation(std::uint32_t& generation);
  int table(Found& found);
  int sets(Found& found);
  int elements(FoundSet& set);
  int list_elements(const std::string& set, const std::function<void(std::vector<RawElement>)>& visit);
  int objects(Found& found);
  int flowtables(Found& found);
  int chains(Found& found);
  int rules(Found& found);

  mnl_socket& socket_;
  std::uint32_t& sequence_;
  const std::string& table_;
  std::vector<char> buffer_ = std::vector<char>(128 * 1024);
};

int Reader::exchange(std::uint16_t type, std::uint16_t flags, const std::function<void(nlmsghdr*)>& fill, const Visit& visit) {
  std::array<char, 1024> request{};
  const std::uint32_t sequence = sequence_++;
  nlmsghdr* message = nftnl_nlmsg_build_hdr(request.data(), type, NFPROTO_INET, flags, sequence);
  fill(message);
  if (mnl_socket_sendto(&socket_, message, message->nlmsg_len) < 0) return errno;
  // A dump is read to its end also when it is of no use any more: the socket takes no other before.
  int error = 0;
  while (true) {
    const ssize_t size = mnl_socket_recvfrom(&socket_, buffer_.data(), buffer_.size());
    if (size < 0) return errno;
    std::optional<int> ended;
    const bool whole = for_each_message(buffer_.data(), static_cast<std::size_t>(size), [&](const nlmsghdr& answer) {
      // Of a request that was given up on earlier.
      if (answer.nlmsg_seq != sequence) return true;
      if ((answer.nlmsg_flags & NLM_F_DUMP_INTR) != 0) error = EINTR;
      if (answer.nlmsg_type == NLMSG_ERROR || answer.nlmsg_type == NLMSG_DONE) {
        // Both begin with an error number, negative.
        int code = 0;
        if (mnl_nlmsg_get_payload_len(&answer) >= sizeof code) std::memcpy(&code, mnl_nlmsg_get_payload(&answer), sizeof code);
        ended = code != 0 ? -code : error;
        return false;
      }
      if (mnl_nlmsg_get_payload_len(&answer) >= sizeof(nfgenmsg)) visit(answer);
      // An answer to a request for one object has no end mark of its own.
      if ((flags & NLM_F_DUMP) != NLM_F_DUMP) ended = error;
      return !ended.has_value();
    });
    if (ended) return *ended;
    if (!whole) return EBADMSG;
  }
}

int Reader::dump(std::uint16_t type, std::uint16_t table_attribute, const Visit& visit) {
  return exchange(
      type, NLM_F_DUMP, [&](nlmsghdr* request) { mnl_attr_put_strz(request, table_attribute, table_.c_str()); }, visit);
}

int Reader::generation(std::uint32_t& generation) {
  return exchange(
      NFT_MSG_GETGEN, 0, [](nlmsghdr*) {},
      [&](const nlmsghdr& answer) {
        const auto* attributes = static_cast<const char*>(mnl_nlmsg_get_payload(&answer)) + sizeof(nfgenmsg);
        for_each_attribute(attributes, mnl_nlmsg_get_payload_len(&answer) - sizeof(nfgenmsg), [&](const nlattr& attribute) {
          if (mnl_attr_get_type(&attribute) == NFTA_GEN_ID) generation = ntohl(mnl_attr_get_u32(&attribute));
        });
      });
}

int Reader::table(Found& found) {
  const int error = exchange(
      NFT_MSG_GETTABLE, 0, [&](nlmsghdr* request) { mnl_attr_put_strz(request, NFTA_TABLE_NAME, table_.c_str()); },
      [&](const nlmsghdr& answer) {
        const Handle<nftnl_table> table(nftnl_table_alloc());
        if (nftnl_table_nlmsg_parse(&answer, table.get()) < 0) return;
        found.exists = true;
        found.flags = nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS);
      });
  return error == ENOENT ? 0 : error;
}

std::uint32_t number(const nftnl_set* set, std::uint16_t attribute) {
  return nftnl_set_is_set(set, attribute) ? nftnl_set_get_u32(set, attribute) : 0;
}

int Reader::sets(Found& found) {
  return dump(NFT_MSG_GETSET, NFTA_SET_TABLE, [&](const nlmsghdr& answer) {
    const Handle<nftnl_set> handle(nftnl_set_alloc());
    const nftnl_set* set = handle.get();
    if (nftnl_set_nlmsg_parse(&answer, handle.get()) < 0 || table_ != nftnl_set_get_str(set, NFTNL_SET_TABLE)) return;
    const std::uint32_t flags = number(set, NFTNL_SET_FLAGS);
    // It comes and goes with the rule that it belongs to.
    if ((flags & NFT_SET_ANONYMOUS) != 0) return;
    const std::string name = nftnl_set_get_str(set, NFTNL_SET_NAME);
    SetAttributes attributes{flags, number(set, NFTNL_SET_KEY_TYPE), number(set, NFTNL_SET_KEY_LEN),
                             number(set, NFTNL_SET_DATA_TYPE)};
    attributes.size = number(set, NFTNL_SET_DESC_SIZE);
    if (nftnl_set_is_set(set, NFTNL_SET_TIMEOUT)) attributes.lifetime = nftnl_set_get_u64(set, NFTNL_SET_TIMEOUT);
    auto declaration = declaration_of(name, attributes);
    const bool is_plain = !nftnl_set_is_set(set, NFTNL_SET_EXPR) && !nftnl_set_is_set(set, NFTNL_SET_EXPRESSIONS);
    FoundSet found_set{{name, {}}, !declaration || !is_plain};
    if (declaration) found_set.declaration = std::move(*declaration);
    found.sets.push_back(std::move(found_set));
  });
}

/// Whether there was a key that stood there twice.
bool drop_repeated(std::vector<Element>& elements) {
  std::sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) { return a.key < b.key; });
  const auto end = std::unique(elements.begin(), elements.end(), [](const Element& a, const Element& b) { return a.key == b.key; });
  const bool repeated = end != elements.end();
  elements.erase(end, elements.end());
  return repeated;
}

/// `visit` gets the elements of one message at a time.
int Reader::list_elements(const std::string& set, const std::function<void(std::vector<RawElement>)>& visit) {
  const auto fill = [&](nlmsghdr* request) {
    mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_TABLE, table_.c_str());
    mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set.c_str());
  };
  return exchange(NFT_MSG_GETSETELEM, NLM_F_DUMP, fill, [&](const nlmsghdr& answer) {
    std::vector<RawElement> raw;
    const auto* attributes = static_cast<const char*>(mnl_nlmsg_get_payload(&answer)) + sizeof(nfgenmsg);
    for_each_attribute(attributes, mnl_nlmsg_get_payload_len(&answer) - sizeof(nfgenmsg), [&](const nlattr& attribute) {
      if (mnl_attr_get_type(&attribute) == NFTA_SET_ELEM_LIST_ELEMENTS)
        for_each_nested(attribute, [&](const nlattr& element) { raw.push_back(parse_element(element)); });
    });
    visit(std::move(raw));
  });
}

int Reader::visit_elements(const SetDeclaration& set, const std::function<void(const Element&)>& visit) {
  bool understood = true;
  const int error = list_elements(set.name, [&](std::vector<RawElement> part) {
    const auto elements = elements_of(set, std::move(part));
    understood = understood && elements.has_value();
    if (understood)
      for (const Element& element : *elements) visit(element);
  });
  return error == 0 && !understood ? EBADMSG : error;
}

int Reader::elements(FoundSet& set) {
  // What a device does is nobody's business, and no difference.
  if (set.declaration.fills_itself > 0) return 0;
  std::vector<RawElement> raw;
  const int error = list_elements(set.declaration.name, [&](std::vector<RawElement> part) {
    raw.insert(raw.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  });
  if (error != 0) return error;
  auto elements = elements_of(set.declaration, std::move(raw));
  if (!elements) {
    set.foreign = true;
    return 0;
  }
  set.elements = std::move(*elements);
  // The kernel grows a hash table in the background, for a moment after many elements came. A listing made meanwhile names some
  // elements twice, and as many others not at all (nft_rhash_walk(), and a dump that goes on by counting).
  const bool complete = !drop_repeated(set.elements);
  return complete || set.declaration.timeout ? 0 : EAGAIN;
}

int Reader::objects(Found& found) {
  return dump(NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, [&](const nlmsghdr& answer) {
    // Read by hand: libnftnl stumbles over types of objects that are newer than it.
    std::string table;
    FoundObject object;
    const auto* attributes = static_cast<const char*>(mnl_nlmsg_get_payload(&answer)) + sizeof(nfgenmsg);
    for_each_attribute(attributes, mnl_nlmsg_get_payload_len(&answer) - sizeof(nfgenmsg), [&](const nlattr& attribute) {
      const std::uint16_t type = mnl_attr_get_type(&attribute);
      if (type == NFTA_OBJ_TABLE) table = mnl_attr_get_str(&attribute);
      if (type == NFTA_OBJ_NAME) object.name = mnl_attr_get_str(&attribute);
      if (type == NFTA_OBJ_TYPE) object.type = ntohl(mnl_attr_get_u32(&attribute));
    });
    if (table == table_) found.objects.push_back(std::move(object));
  });
}

/// What NFTA_FLOWTABLE_HOOK says.
void read_hook(const nlattr& hook, FoundFlowtable& found) {
  for_each_nested(hook, [&](const nlattr& attribute) {
    const std::uint16_t type = mnl_attr_get_type(&attribute);
    if (type == NFTA_FLOWTABLE_HOOK_NUM && ntohl(mnl_attr_get_u32(&attribute)) != NF_NETDEV_INGRESS) found.foreign = true;
    if (type == NFTA_FLOWTABLE_HOOK_PRIORITY)
      found.flowtable.priority = static_cast<std::int32_t>(ntohl(mnl_attr_get_u32(&attribute)));
    if (type != NFTA_FLOWTABLE_HOOK_DEVS) return;
    for_each_nested(attribute, [&](const nlattr& device) {
      // Newer kernels know beginnings of names as well.
      if (mnl_attr_get_type(&device) == NFTA_DEVICE_NAME) found.flowtable.devices.emplace_back(mnl_attr_get_str(&device));
      else found.foreign = true;
    });
  });
  std::sort(found.flowtable.devices.begin(), found.flowtable.devices.end());
}

int Reader::flowtables(Found& found) {
  return dump(NFT_MSG_GETFLOWTABLE, NFTA_FLOWTABLE_TABLE, [&](const nlmsghdr& answer) {
    // Read by hand: libnftnl gives up at devices that it has no word for.
    std::string table;
    FoundFlowtable one;
    const auto* attributes = static_cast<const char*>(mnl_nlmsg_get_payload(&answer)) + sizeof(nfgenmsg);
    for_each_attribute(attributes, mnl_nlmsg_get_payload_len(&answer) - sizeof(nfgenmsg), [&](const nlattr& attribute) {
      const std::uint16_t type = mnl_attr_get_type(&attribute);
      if (type == NFTA_FLOWTABLE_TABLE) table = mnl_attr_get_str(&attribute);
      if (type == NFTA_FLOWTABLE_NAME) one.flowtable.name = mnl_attr_get_str(&attribute);
      if (type == NFTA_FLOWTABLE_FLAGS && mnl_attr_get_u32(&attribute) != 0) one.foreign = true;
      if (type == NFTA_FLOWTABLE_HOOK) read_hook(attribute, one);
    });
    if (table == table_) found.flowtables.push_back(std::move(one));
  });
}

int Reader::read(std::vector<CounterValue>& counters) {
  return dump(NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, [&](const nlmsghdr& answer) {
    std::string table;
    std::uint32_t kind = NFT_OBJECT_UNSPEC;
    CounterValue counter;
    const auto* attributes = static_cast<const char*>(mnl_nlmsg_get_payload(&answer)) + sizeof(nfgenmsg);
    for_each_attribute(attributes, mnl_nlmsg_get_payload_len(&answer) - sizeof(nfgenmsg), [&](const nlattr& attribute) {
      const std::uint16_t type = mnl_attr_get_type(&attribute);
      if (type == NFTA_OBJ_TABLE) table = mnl_attr_get_str(&attribute);
      if (type == NFTA_OBJ_NAME) counter.name = mnl_attr_get_str(&attribute);
      if (type == NFTA_OBJ_TYPE) kind = ntohl(mnl_attr_get_u32(&attribute));
      if (type == NFTA_OBJ_HANDLE) counter.handle = be64toh(mnl_attr_get_u64(&attribute));
      if (type == NFTA_OBJ_DATA)
        for_each_nested(attribute, [&](const nlattr& value) {
          if (mnl_attr_get_type(&value) == NFTA_COUNTER_PACKETS) counter.packets = be64toh(mnl_attr_get_u64(&value));
        });
    });
    if (table == table_ && kind == NFT_OBJECT_COUNTER) counters.push_back(std::move(counter));
  });
}

/// Nothing for hooks that this library has no word for.
std::optional<Hook> hook_of(const nftnl_chain* chain) {
  const std::string_view type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
  const std::uint32_t point = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM);
  if ((type != "filter" && type != "nat") || point > static_cast<std::uint32_t>(Hook::Point::postrouting)) return std::nullopt;
  if (nftnl_chain_is_set(chain, NFTNL_CHAIN_DEV) || nftnl_chain_is_set(chain, NFTNL_CHAIN_DEVICES)) return std::nullopt;
  return Hook{type == "nat" ? Hook::Type::nat : Hook::Type::filter, static_cast<Hook::Point>(point),
              nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO), nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == 0};
}

int Reader::chains(Found& found) {
  return dump(NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, [&](const nlmsghdr& answer) {
    const Handle<nftnl_chain> handle(nftnl_chain_alloc());
    const nftnl_chain* chain = handle.get();
    if (nftnl_chain_nlmsg_parse(&answer, handle.get()) < 0 || table_ != nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE)) return;
    const std::uint32_t flags = nftnl_chain_is_set(chain, NFTNL_CHAIN_FLAGS) ? nftnl_chain_get_u32(chain, NFTNL_CHAIN_FLAGS) : 0;
    if ((flags & chain_of_a_rule) != 0) return;
    FoundChain found_chain{nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME)};
    if (nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM)) {
      found_chain.hook = hook_of(chain);
      found_chain.foreign = !found_chain.hook;
    }
    found.chains.push_back(std::move(found_chain));
  });
}

int Reader::rules(Found& found) {
  return dump(NFT_MSG_GETRULE, NFTA_RULE_TABLE, [&](const nlmsghdr& answer) {
    const Handle<nftnl_rule> handle(nftnl_rule_alloc());
    nftnl_rule* rule = handle.get();
    if (nftnl_rule_nlmsg_parse(&answer, rule) < 0 || table_ != nftnl_rule_get_str(rule, NFTNL_RULE_TABLE)) return;
    const std::string_view chain_name = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
    for (FoundChain& chain : found.chains) {
      if (chain.name != chain_name) continue;
      Program program;
      const auto collect = [](nftnl_expr* expression, void* data) {
        if (auto instruction = decode(*expression)) static_cast<Program*>(data)->push_back(std::move(*instruction));
        return 0;
      };
      nftnl_expr_foreach(rule, collect, &program);
      chain.rules.push_back(std::move(program));
    }
  });
}

int Reader::read(Found& found, bool has_flowtables) {
  std::uint32_t before = 0;
  std::uint32_t after = 0;
  if (const int error = generation(before)) return error;
  if (const int error = table(found)) return error;
  if (!found.exists) return 0;
  if (const int error = sets(found)) return error;
  for (FoundSet& set : found.sets) {
    if (set.foreign) continue;
    if (const int error = elements(set)) return error == ENOENT ? EINTR : error;
  }
  if (const int error = objects(found)) return error;
  if (has_flowtables)
    if (const int error = flowtables(found)) return error;
  if (const int error = chains(found)) return error;
  if (const int error = rules(found)) return error;
  if (const int error = generation(after)) return error;
  return before == after ? 0 : EINTR;
}

}  // namespace

Result<std::vector<CounterValue>> read_counters(mnl_socket& socket, std::uint32_t& sequence, const std::string& table) {
  int error = EINTR;
  for (int attempt = 0; attempt < attempts && error == EINTR; ++attempt) {
    std::vector<CounterValue> counters;
    error = Reader(socket, sequence, table).read(counters);
    if (error == 0) return counters;
    if (error == ENOENT) return std::vector<CounterValue>{};
  }
  return fail("reading the counters of table inet {}: {}: {}", table, std::strerror(error), remedy(error));
}

Result<Found> read_table(mnl_socket& socket, std::uint32_t& sequence, const std::string& table, bool has_flowtables) {
  if (table.empty() || table.size() >= NFT_NAME_MAXLEN) return fail("“{}” is no name of a table", table.substr(0, 64));
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Found found;
    const int error = Reader(socket, sequence, table).read(found, has_flowtables);
    if (error == 0) return found;
    if (error == EAGAIN) poll(nullptr, 0, settling_pause);
    else if (error != EINTR) return fail("reading table inet {}: {}: {}", table, std::strerror(error), remedy(error));
  }
  return fail(
      "reading table inet {}: it changed during each of {} attempts: something else keeps writing to nf_tables, find and stop it",
      table, attempts);
}

Result<Listing> read_elements(mnl_socket& socket, std::uint32_t& sequence, const std::string& table, const SetDeclaration& set,
                              const std::function<void(const Element&)>& visit) {
  const int error = Reader(socket, sequence, table).visit_elements(set, visit);
  if (error == ENOENT) return Listing::absent;
  if (error == EINTR) return Listing::interrupted;
  if (error != 0) return fail("reading set {} of table inet {}: {}: {}", set.name, table, std::strerror(error), remedy(error));
  return Listing::whole;
}

}  // namespace schultor::netfilter::kernel
