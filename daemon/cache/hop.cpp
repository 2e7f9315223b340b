// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/hop.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/cache/decision.hpp"
#include "daemon/cache/name_lookup.hpp"
#include "daemon/cache/outside.hpp"
#include "daemon/cache/parking_lot.hpp"
#include "daemon/cache/renewal.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace schultor::cache {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::sys_seconds;
using Answer = HttpServer::Answer;
using Pulled = HttpServer::Pulled;
using Move = Decision::Move;

sys_seconds now() { return floor<seconds>(std::chrono::system_clock::now()); }

/// A host that could not be reached is not tried again for so long: whoever waits for the same content behind the engine's lock
/// hears of it at once, not one after the other.
constexpr seconds unreachable_for{2};

/// Rules, and what asks origins by them.
struct World {
  policy::CacheRules rules;
  std::map<std::string, const policy::Origin*, std::less<>> origins;  ///< by host
  std::unique_ptr<NameLookup> names;                                  ///< none: the rules name no resolver
  std::unique_ptr<Fetcher> fetcher;
  std::map<std::pair<std::string, bool>, steady_clock::time_point> unreachable;  ///< until when, by host and whether https

  [[nodiscard]] bool is_unreachable(const EngineRequest& request) const {
    const auto at = unreachable.find({request.host, request.https});
    return at != unreachable.end() && steady_clock::now() < at->second;
  }
  [[nodiscard]] const policy::Origin* origin_of(const EngineRequest& request) const {
    const auto at = origins.find(request.host);
    if (at == origins.end()) return nullptr;
    // Plain HTTP is passed on for every origin, since its names lead here; TLS ends here only where the rules say so.
    return request.https && !at->second->https ? nullptr : at->second;
  }
};

/// Tells the operator once that an origin cannot be had, and once that it can again.
class Troubles {
public:
  void failed(const policy::Origin& origin, const std::string& why) {
    if (!failing_.insert(origin.name).second) return;
    base::log(base::Priority::warning, base::message_id::origin_unreachable,
              fmt::format("origin {} cannot be had: {}", origin.name, why), {{"SCHULTOR_ORIGIN", origin.name}});
  }
  void answered(const policy::Origin& origin) {
    if (failing_.erase(origin.name) == 0) return;
    base::log(base::Priority::notice, base::message_id::origin_answers, fmt::format("origin {} answers again", origin.name),
              {{"SCHULTOR_ORIGIN", origin.name}});
  }

private:
  std::set<std::string> failing_;
};

/// RFC 9110, 9.2.1
bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE"; }

std::string_view value_of(const ResponseHead& response, std::string_view name) {
  const auto found = std::find_if(response.fields.begin(), response.fields.end(),
                                  [&](const HeaderField& field) { return equal_without_case(field.name, name); });
  return found == response.fields.end() ? std::string_view() : std::string_view(found->value);
}

Answer plain(int status) { return {Answer::Kind::head, {status, {}, 0}}; }

/// What requests of the engine have in common.
struct Common {
  HopEvents events;
  FetchCounts counts;
  Troubles troubles;
  std::shared_ptr<World> world;
  ParkingLot parked;
};

/// One request of the engine.
class Conversation : public HttpServer::Handler {
public:
  Conversation(Common& hop, HttpServer::Wake wake) : hop_(hop), wake_(std::move(wake)), world_(hop.world) {}
  ~Conversation() override {
    // Before what it works with.
    fetch_.reset();
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void begin(RequestHead head);

  std::size_t take(std::string_view octets) override;
  void end_of_body() override;
  Answer answer() override { return answer_; }
  Pulled pull(std::span<char> into) override;

private:
  void settle(Answer answer);
  void hand_out(ResponseHead response);
  bool begin_with_parked();
  bool begin_with_stored(const FetchedHead& not_modified);
  void look_up();
  void ask(const base::Result<std::vector<base::Address>>& addresses);
  void on_progress();
  void on_head(const FetchedHead& head);
  void tell_of_slice(const ResponseHead& response) const;
  void refuse(const FetchedHead& head, Refusal refusal);
  [[nodiscard]] StoredAddress address() const { return {request_.https, request_.host, request_.target}; }
  void fail(const std::string& why);

  Common& hop_;
  HttpServer::Wake wake_;
  std::shared_ptr<World> world_;
  std::shared_ptr<void> parked_world_;  ///< of a fetch that began under other rules
  EngineRequest request_;
  const policy::Origin* origin_ = nullptr;
  bool has_body_ = false;
  bool body_ended_ = false;
  bool whole_ = false;
  sys_seconds asked_{};
  NameLookup::Waiting waiting_;
  std::unique_ptr<Fetch> fetch_;
  Answer answer_{};
  std::optional<std::uint64_t> length_;  ///< of what is handed out, where it is told
  std::uint64_t handed_out_ = 0;
  std::string body_;  ///< what is handed out where nothing is fetched
};

void Conversation::settle(Answer answer) {
  answer_ = std::move(answer);
  wake_();
}

void Conversation::hand_out(ResponseHead response) {
  length_ = response.length;
  settle({Answer::Kind::head, std::move(response)});
}

void Conversation::fail(const std::string& why) {
  if (origin_ != nullptr) hop_.troubles.failed(*origin_, why);
  settle({Answer::Kind::hang_up, {}});
}

void Conversation::begin(RequestHead head) {
  has_body_ = head.fields.has("Transfer-Encoding") || head.fields.first("Content-Length").value_or("0") != "0";
  if (head.fields.single("Host") == health_host) {
    return settle(plain(head.target == health_path ? 204 : 404));
  }
  auto request = read_engine_request(std::move(head));
  if (!request) return settle(plain(400));
  request_ = std::move(*request);
  origin_ = world_ ? world_->origin_of(request_) : nullptr;
  if (origin_ == nullptr) return settle(plain(421));
  if (!request_.store && begin_with_parked()) return;
  look_up();
}

bool Conversation::begin_with_parked() {
  if (request_.parked.empty()) return false;
  auto parked = hop_.parked.take(request_);
  if (!parked) return false;
  auto response =
      parked->fetch->state() == Fetch::State::failed ? std::nullopt : from_parked(request_, parked->head, parked->slice);
  if (!response) return false;
  parked_world_ = std::move(parked->keeps);
  fetch_ = std::move(parked->fetch);
  fetch_->on_progress([this] { on_progress(); });
  hand_out(std::move(*response));
  return true;
}

/// That nothing has changed but what is said of it: the engine stores its own response anew.
bool Conversation::begin_with_stored(const FetchedHead& not_modified) {
  auto stored = hop_.events.stored(address(), request_.slice);
  if (!stored || stored->fields.single("ETag").value_or("") != request_.fields.single("If-None-Match").value_or("")) return false;
  const auto head = renewed(stored->status, stored->fields, stored->body.size(), not_modified);
  if (!head) return false;
  auto decision = decide(request_, false, *head, rules_of(*origin_, request_.https, request_.target), asked_, now());
  if (decision.move != Move::store) return false;
  body_ = std::move(stored->body);
  fetch_.reset();
  hand_out(std::move(decision.response));
  return true;
}

void Conversation::look_up() {
  if (!world_->names) return fail("there is no resolver");
  if (world_->is_unreachable(request_)) return fail("it could not be reached a moment ago");
  waiting_ = world_->names->find(request_.host, [this](const auto& addresses) { ask(addresses); });
}

void Conversation::ask(const base::Result<std::vector<base::Address>>& addresses) {
  if (!addresses) return fail(addresses.error().what());
  FetchRequest ask{origin_->name, request_.method, request_.https,
                   request_.host, request_.target, fields_for_origin(request_, whole_),
                   *addresses,    has_body_,       std::nullopt};
  if (has_body_ && !request_.fields.has("Transfer-Encoding"))
    ask.body_length = read_octets(request_.fields.single("Content-Length").value_or(""));
  asked_ = now();
  fetch_ = world_->fetcher->start(std::move(ask));
  if (!fetch_) return fail("libcurl cannot be used");
  fetch_->on_progress([this] { on_progress(); });
  if (body_ended_) fetch_->end_of_body();
  if (has_body_) wake_();
}

void Conversation::on_progress() {
  if (answer_.kind == Answer::Kind::later) {
    if (const auto* head = fetch_->head()) return on_head(*head);
    if (fetch_->state() == Fetch::State::failed) {
      if (!fetch_->reached()) world_->unreachable[{request_.host, request_.https}] = steady_clock::now() + unreachable_for;
      return fail(fetch_->why());
    }
  }
  wake_();
}

void Conversation::on_head(const FetchedHead& head) {
  hop_.troubles.answered(*origin_);
  // The engine's own word, which an origin is not to say.
  if (head.status == not_stored_status || head.status > 599) return settle({Answer::Kind::hang_up, {}});
  if (!request_.store) {
    if (!is_safe(request_.method) && head.status >= 200 && head.status < 400) hop_.events.changed(address());
    return hand_out(passed_on(head));
  }
  if (head.status == 304 && begin_with_stored(head)) return;
  auto decision = decide(request_, whole_, head, rules_of(*origin_, request_.https, request_.target), asked_, now());
  switch (decision.move) {
    case Move::store:
      tell_of_slice(decision.response);
      return hand_out(std::move(decision.response));
    case Move::refuse:
      return refuse(head, decision.refusal);
    case Move::ask_whole:
      whole_ = true;
      fetch_.reset();
      return look_up();
    case Move::hang_up:
      return settle({Answer::Kind::hang_up, {}});
  }
}

void Conversation::tell_of_slice(const ResponseHead& response) const {
  if (response.status != 206 || !request_.slice) return;
  if (const auto part = read_content_range(value_of(response, "Content-Range")))
    hop_.events.slice(address(), *request_.slice, part->complete, std::string(value_of(response, "ETag")));
}

void Conversation::refuse(const FetchedHead& head, Refusal refusal) {
  std::string token;
  // That nothing changed is no response to who did not ask that.
  if (head.status != 304)
    token = hop_.parked.park(
        {request_.https, request_.host, request_.target, whole_ ? std::nullopt : request_.slice, head, world_, std::move(fetch_)});
  settle({Answer::Kind::head, refusal_response(refusal, token)});
}

std::size_t Conversation::take(std::string_view octets) {
  // Nobody is going to read it.
  if (answer_.kind != Answer::Kind::later) return octets.size();
  return fetch_ ? fetch_->write(octets) : 0;
}

void Conversation::end_of_body() {
  body_ended_ = true;
  if (fetch_ && has_body_) fetch_->end_of_body();
}

Pulled Conversation::pull(std::span<char> into) {
  if (!fetch_ && handed_out_ < body_.size()) {
    const auto count = body_.copy(into.data(), into.size(), handed_out_);
    handed_out_ += count;
    return {Pulled::Kind::octets, count};
  }
  if (!fetch_) return {length_.value_or(0) == handed_out_ ? Pulled::Kind::end : Pulled::Kind::broken, 0};
  if (const auto count = fetch_->read(into); count > 0) {
    handed_out_ += count;
    return {Pulled::Kind::octets, count};
  }
  if (fetch_->state() == Fetch::State::going) return {Pulled::Kind::later, 0};
  const bool all = fetch_->state() == Fetch::State::complete && handed_out_ == length_.value_or(handed_out_);
  return {all ? Pulled::Kind::end : Pulled::Kind::broken, 0};
}

}  // namespace

struct Hop::Impl {
  base::EventLoop& loop;
  FetchLimits limits;
  Common common;
  std::vector<std::shared_ptr<World>> old_worlds{};
  std::unique_ptr<HttpServer> server{};  // goes first

  std::unique_ptr<HttpServer::Handler> accept(RequestHead head, HttpServer::Wake wake);
};

std::unique_ptr<HttpServer::Handler> Hop::Impl::accept(RequestHead head, HttpServer::Wake wake) {
  // Here, since nothing of theirs is running.
  std::erase_if(old_worlds, [](const auto& old) { return old.use_count() == 1; });
  auto conversation = std::make_unique<Conversation>(common, std::move(wake));
  conversation->begin(std::move(head));
  return conversation;
}

Hop::Hop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hop::~Hop() = default;

base::Result<std::unique_ptr<Hop>> Hop::create(base::EventLoop& loop, Options options, HopEvents events) {
  auto impl =
      std::unique_ptr<Impl>(new Impl{loop, std::move(options.limits), {std::move(events), {}, {}, nullptr, ParkingLot(loop)}});
  auto server = HttpServer::create(loop, options.socket, [raw = impl.get()](RequestHead head, HttpServer::Wake wake) {
    return raw->accept(std::move(head), std::move(wake));
  });
  if (!server) return base::pass(std::move(server));
  impl->server = std::move(*server);
  return std::unique_ptr<Hop>(new Hop(std::move(impl)));
}

base::Result<void> Hop::set_rules(policy::CacheRules rules) {
  auto world = std::make_shared<World>();
  world->rules = std::move(rules);
  for (const auto& origin : world->rules.origins)
    for (const auto& host : origin.hosts) world->origins.emplace(host, &origin);
  const auto& inside = world->rules.inside;
  if (world->rules.resolver) {
    auto names = NameLookup::create(impl_->loop, *world->rules.resolver, inside);
    if (!names) return base::pass(std::move(names));
    world->names = std::move(*names);
  }
  auto fetcher =
      Fetcher::create(impl_->loop, impl_->limits, impl_->common.counts,
                      [raw = world.get()](const base::Address& address) { return is_outside(address, raw->rules.inside); });
  if (!fetcher) return base::pass(std::move(fetcher));
  world->fetcher = std::move(*fetcher);
  auto& current = impl_->common.world;
  if (current) impl_->old_worlds.push_back(std::move(current));
  current = std::move(world);
  return {};
}

const FetchCounts& Hop::counts() const { return impl_->common.counts; }

}  // namespace schultor::cache
