// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/mqtt.hpp"

#include "daemon/base/unique_fd.hpp"
#include "daemon/report/backoff.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace schultor::report {
namespace {

using base::Result;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds first_pause{500};
constexpr milliseconds longest_pause{60'000};
constexpr milliseconds patience{30'000};  // for the broker's acceptance
constexpr milliseconds leave_taking{2'000};
constexpr milliseconds tick{5'000};     // keepalives are looked after at least this often
constexpr milliseconds steady{30'000};  // a connection that held this long was a success

void wake(const base::UniqueFd& event) { eventfd_write(event.get(), 1); }
void drain(const base::UniqueFd& event) {
  eventfd_t value = 0;
  eventfd_read(event.get(), &value);
}

struct Order {
  std::uint64_t connection = 0;
  std::int64_t number = 0;
  Publication publication;
};

struct Event {
  enum class Kind : std::uint8_t { connected, lost, acknowledged, refused } kind;
  std::uint64_t connection = 0;
  std::int64_t number = 0;
  std::string why;
};

}  // namespace

/// Held by the loop's side and by the thread, which may outlive it while it waits for the network.
struct Mqtt::Shared {
  Broker broker;
  std::string client;
  Publication will;
  base::UniqueFd to_thread;
  base::UniqueFd to_loop;

  std::mutex mutex;
  std::condition_variable ended;
  std::vector<Order> orders;
  std::vector<Event> events;
  std::optional<Publication> last;
  bool stopping = false;
  bool gone = false;

  void tell(Event event) {
    {
      const std::lock_guard lock(mutex);
      events.push_back(std::move(event));
    }
    wake(to_loop);
  }
  std::vector<Order> take_orders() {
    const std::lock_guard lock(mutex);
    return std::exchange(orders, {});
  }
};

namespace {

/// The thread's side.
template <typename Shared>
class Dialler {
public:
  explicit Dialler(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  void run() {
    while (!stopped()) {
      auto session = MqttSession::open(shared_->broker, shared_->client, shared_->will);
      const auto begun = Clock::now();
      const auto ended = session ? serve(*session) : base::pass(std::move(session));
      if (ended) break;
      if (Clock::now() - begun >= steady) backoff_.reset();
      shared_->tell({Event::Kind::lost, connection_, 0, ended.error().what()});
      pause(backoff_.next(std::uniform_real_distribution<>(0, 1)(random_)));
    }
    const std::lock_guard lock(shared_->mutex);
    shared_->gone = true;
    shared_->ended.notify_all();
  }

private:
  /// Until the connection ends, which is an error, or leave is taken.
  Result<void> serve(MqttSession& session) {
    const auto begun = Clock::now();
    while (!session.accepted()) {
      if (stopped()) return {};
      if (Clock::now() - begun > patience)
        return base::fail("{}: no answer to the connection for {} seconds", shared_->broker.url(), patience.count() / 1000);
      if (auto worked = session.work(shared_->to_thread.get(), tick); !worked) return worked;
    }
    numbers_.clear();
    shared_->tell({Event::Kind::connected, ++connection_, 0, {}});
    while (!stopped()) {
      for (auto& order : shared_->take_orders())
        if (order.connection == connection_) publish(session, order);
      auto worked = session.work(shared_->to_thread.get(), tick);
      tell_acknowledgements(session);
      if (!worked) return worked;
    }
    take_leave(session);
    return {};
  }

  /// Looks only after it has taken the call to wake up: one that comes later ends the next wait.
  bool stopped() {
    drain(shared_->to_thread);
    const std::lock_guard lock(shared_->mutex);
    return shared_->stopping;
  }

  void publish(MqttSession& session, const Order& order) {
    const auto id = session.publish(order.publication);
    if (id) numbers_[*id] = order.number;
    else shared_->tell({Event::Kind::refused, connection_, order.number, id.error().what()});
  }

  void tell_acknowledgements(MqttSession& session) {
    for (auto& acknowledgement : session.take_acknowledgements()) {
      const auto found = numbers_.find(acknowledgement.id);
      if (found == numbers_.end()) continue;
      const auto kind = acknowledgement.refusal.empty() ? Event::Kind::acknowledged : Event::Kind::refused;
      shared_->tell({kind, connection_, found->second, std::move(acknowledgement.refusal)});
      numbers_.erase(found);
    }
  }

  void take_leave(MqttSession& session) {
    const auto deadline = Clock::now() + leave_taking;
    const auto id = session.publish(*shared_->last);
    bool heard = !id;
    while (!heard && Clock::now() < deadline) {
      if (!session.work(-1, std::chrono::duration_cast<milliseconds>(deadline - Clock::now()))) return;
      for (const auto& acknowledgement : session.take_acknowledgements()) heard = heard || acknowledgement.id == *id;
    }
    session.close();
  }

  void pause(milliseconds length) {
    const auto until = Clock::now() + length;
    while (!stopped() && Clock::now() < until) {
      shared_->take_orders();
      pollfd ready{shared_->to_thread.get(), POLLIN, 0};
      // One more millisecond: a rest that rounds to 0 would spin.
      poll(&ready, 1, static_cast<int>(std::chrono::duration_cast<milliseconds>(until - Clock::now()).count()) + 1);
    }
  }

  std::shared_ptr<Shared> shared_;
  Backoff backoff_{first_pause, longest_pause};
  std::mt19937 random_{std::random_device{}()};
  std::map<int, std::int64_t> numbers_;  ///< by the library's message ids
  std::uint64_t connection_ = 0;
};

}  // namespace

Mqtt::Mqtt(std::shared_ptr<Shared> shared, Handlers handlers) : shared_(std::move(shared)), handlers_(std::move(handlers)) {}

Result<std::unique_ptr<Mqtt>> Mqtt::start(base::EventLoop& loop, Broker broker, std::string client, Publication will,
                                          Handlers handlers) {
  auto shared = std::make_shared<Shared>();
  shared->broker = std::move(broker);
  shared->client = std::move(client);
  shared->will = std::move(will);
  for (auto* event : {&shared->to_thread, &shared->to_loop}) {
    event->reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!*event) return base::fail_errno(errno, "creating an eventfd");
  }
  std::unique_ptr<Mqtt> mqtt(new Mqtt(shared, std::move(handlers)));
  auto source = loop.watch(shared->to_loop.get(), EPOLLIN, [self = mqtt.get()](std::uint32_t) { self->on_wake(); });
  if (!source) return base::pass(std::move(source));
  mqtt->source_ = std::move(*source);

  // Signals are the loop's: the thread inherits a mask that blocks them all.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::string failure;
  try {
    std::thread([shared] { Dialler<Shared>(shared).run(); }).detach();
  } catch (const std::system_error& error) {
    failure = error.what();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!failure.empty()) return base::fail("starting the thread for the broker: {}", failure);
  return mqtt;
}

Mqtt::~Mqtt() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->stopping) return;
  shared_->stopping = true;
  shared_->last = shared_->will;
  wake(shared_->to_thread);
}

void Mqtt::publish(std::int64_t number, Publication publication) {
  if (connection_ == 0) return;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->orders.push_back({connection_, number, std::move(publication)});
  }
  wake(shared_->to_thread);
}

void Mqtt::stop(Publication last) {
  source_.reset();
  std::unique_lock lock(shared_->mutex);
  if (shared_->stopping) return;
  shared_->stopping = true;
  shared_->last = std::move(last);
  wake(shared_->to_thread);
  // A thread that waits for a name or a TCP connection ends with the process.
  shared_->ended.wait_for(lock, leave_taking + milliseconds(500), [this] { return shared_->gone; });
}

void Mqtt::on_wake() {
  drain(shared_->to_loop);
  std::vector<Event> events;
  {
    const std::lock_guard lock(shared_->mutex);
    events = std::exchange(shared_->events, {});
  }
  for (const auto& event : events) {
    switch (event.kind) {
      case Event::Kind::connected:
        connection_ = event.connection;
        handlers_.connected();
        break;
      case Event::Kind::lost:
        connection_ = 0;
        handlers_.lost(event.why);
        break;
      case Event::Kind::acknowledged:
        handlers_.acknowledged(event.number);
        break;
      case Event::Kind::refused:
        handlers_.refused(event.number, event.why);
        break;
    }
  }
  handlers_.settled();
}

}  // namespace schultor::report
