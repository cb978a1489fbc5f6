"""A session with the broker that outlives the connection; acknowledgements are ours to give."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any, Final, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from driveaway.values.errors import DriveawayError, Refused, Unavailable
from driveaway.web.mqtt.options import Broker, Subscription

_log = logging.getLogger(__name__)
_KEEP_ALIVE: Final = 30
_LONGEST_WAIT: Final = 30
"""Seconds between two attempts to connect at the most; they double from one."""
_VERSION: Final = "$SYS/broker/version"
_DROPPED: Final = "$SYS/broker/publish/messages/dropped"
_TAKEN_OVER: Final = 0x8E
_SHORT: Final = 5.0
_OFTEN: Final = 3
"""So many connections in a row that last no longer, in seconds, tell that two readers have one name."""
_NO_RETAINED: Final = 2
_MOST_UNSURE: Final = 20_000
"""Messages that wait here, from which on those that nobody guaranteed are let go."""


class Message(NamedTuple):
    """A message, and the connection by which it came, by which alone it may be acknowledged."""

    connection: int
    mid: int
    qos: int
    topic: str
    payload: bytes


class Session:
    """A persistent MQTT 5 session (OASIS MQTT 5.0 §4.1), kept up by a thread of its own.

    The broker keeps what comes while nobody reads, and sends again what was not acknowledged.

    Attributes:
        messages: that came; None when nothing more will.
        subscribed: set while the subscription holds.
    """

    def __init__(self, broker: Broker, subscription: Subscription) -> None:
        self.messages: SimpleQueue[Message | None] = SimpleQueue()
        self.subscribed = Event()
        self.failure: DriveawayError | None = None
        self._broker = broker
        self._subscription = subscription
        self._lock = Lock()
        self._connection = 0
        self._dropped: int | None = None
        self._told: set[str] = set()
        self._ready: Callable[[], None] | None = None
        self._since = 0.0
        self._short = 0
        self._client = self._made()

    def _made(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._subscription.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        broker = self._broker
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            context = ssl.create_default_context(
                cafile=None if broker.authorities is None else str(broker.authorities)
            )
            if broker.certificate is not None:
                context.load_cert_chain(broker.certificate, broker.key)
            client.tls_set_context(context)
        client.reconnect_delay_set(1, _LONGEST_WAIT)
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._heard
        client.on_message = self._message
        client.message_callback_add(_VERSION, self._version)
        client.message_callback_add(_DROPPED, self._drops)
        return client

    def start(self, ready: Callable[[], None] | None = None) -> None:
        """Connect, and go on connecting: a broker that is away is waited for.

        ``ready`` is called whenever the broker has taken the subscription, on a thread of its own.
        """
        self._ready = ready
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._subscription.expiry
        properties.ReceiveMaximum = self._subscription.receive_maximum
        # Not paho's default, which begins the first connection of a process with an empty session.
        self._client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=_KEEP_ALIVE,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; the broker keeps the session and whatever was not acknowledged."""
        self._client.disconnect()
        self._client.loop_stop()

    def holds(self, message: Message) -> bool:
        """Whether the connection by which a message came is still there; else it comes again."""
        return message.connection == self._connection

    def acknowledge(self, messages: Iterable[Message]) -> int:
        """Acknowledge messages that came by this connection; how many.

        Those of an earlier one come again: their numbers may mean others by now.
        """
        count = 0
        with self._lock:
            for message in messages:
                if message.connection == self._connection:
                    self._client.ack(message.mid, message.qos)
                    count += 1
        return count

    # --- called on the network's thread ---

    def _connected(self, client: Client, _: Any, flags: Any, reason: ReasonCode, __: Any) -> None:
        if reason.is_failure:
            self._tell(f"{self._broker.place} refuses: {reason}")
            return
        with self._lock:
            self._connection += 1
        kept = "a kept session" if flags.session_present else "a new session"
        _log.info("connected to %s, %s", self._broker.place, kept)
        self._since = time.monotonic()
        options = SubscribeOptions(qos=1, retainHandling=_NO_RETAINED)
        client.subscribe([(each, options) for each in self._subscription.filters])
        # Of their own: a broker that does not show them must not refuse the others.
        client.subscribe([(_VERSION, SubscribeOptions(qos=0)), (_DROPPED, SubscribeOptions(qos=0))])

    def _heard(self, _: Client, __: Any, ___: int, reasons: list[ReasonCode], ____: Any) -> None:
        if self.subscribed.is_set():
            return
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._fail(
                Refused(
                    f"{self._broker.place} does not let us subscribe: {refused[0]}",
                    code="mqtt.refused",
                    remedy="allow the reader to read the topic, in the broker's access list",
                )
            )
            return
        self.subscribed.set()
        if self._ready is not None:
            self._ready()

    def _disconnected(self, _: Client, __: Any, ___: Any, reason: ReasonCode, ____: Any) -> None:
        with self._lock:
            # What is acknowledged from now on is not sent: the broker sends the messages again.
            self._connection += 1
        self.subscribed.clear()
        if reason.value == _TAKEN_OVER:
            self._fail(
                Unavailable(
                    f"another reader has the name {self._subscription.client_id!r}",
                    code="mqtt.taken_over",
                    remedy="give each its own --client-id, and all of them the same --share",
                )
            )
            return
        self._short = self._short + 1 if time.monotonic() - self._since < _SHORT else 0
        if self._short == _OFTEN:
            _log.error(
                "%s ends each connection at once: perhaps another reader has the name %r; give each its own"
                " --client-id, and all of them the same --share",
                self._broker.place,
                self._subscription.client_id,
            )
        elif reason.is_failure and self._short < _OFTEN:
            _log.warning("%s is gone: %s; connecting again", self._broker.place, reason)

    def _unreachable(self, _: Client, __: Any) -> None:
        self._tell(f"{self._broker.place} cannot be reached; trying again")

    def _message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        if not message.qos and self.messages.qsize() > _MOST_UNSURE:
            self._tell("messages with quality of service 0 come faster than they land, and are lost")
            return
        self.messages.put(
            Message(self._connection, message.mid, message.qos, message.topic, bytes(message.payload))
        )

    def _version(self, _: Client, __: Any, message: MQTTMessage) -> None:
        version = message.payload.decode("utf-8", "replace")[:80]
        if version.startswith("mosquitto") and version not in self._told:
            self._told.add(version)
            _log.warning(
                "the broker is %s: by default it keeps 1,000 messages for a reader that is away and drops the"
                " rest, and forgets all when it is killed; see max_queued_messages and autosave_interval in"
                " the how-to on reporting trips",
                version,
            )

    def _drops(self, _: Client, __: Any, message: MQTTMessage) -> None:
        try:
            dropped = int(message.payload)
        except ValueError:
            return
        if self._dropped is not None and dropped > self._dropped:
            _log.error(
                "the broker dropped %d messages, to whichever reader they went: raise max_queued_messages",
                dropped - self._dropped,
            )
        self._dropped = dropped

    def _tell(self, said: str) -> None:
        if said not in self._told:
            self._told.add(said)
            _log.warning("%s", said)

    def _fail(self, failure: DriveawayError) -> None:
        self.failure = failure
        self.messages.put(None)
