"""Who comes in, and what they may: the people of the operator page, by name and password, with their roles.

    channel: certificate trusted? ─▶ session: one of so many? name and password? ─▶ method: role? ─▶ the hand, the desk

Whoever is let in may read and subscribe; nobody writes. A session that is over has no hand any more.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession

from station.core.errors import PageError
from station.page.attempts import Attempts
from station.page.people import People, Person
from station.page.roles import Role
from station.plant.opcua.certificates import TrustedCertificates

ADDRESS = "OPC UA"
"""From where people come, in the audit trail."""
CHANNELS_BESIDE = 10
"""Connections beside those of the sessions: who asks for the endpoints, or is about to be refused."""
SUBSCRIPTIONS_EACH = 10
MOST_LIFETIME = 3000
"""A lost subscription lives for so many publishing intervals at most, or for its session."""
QUEUE = 1000
"""So many values may wait for a client in one monitored item; the oldest go first."""

log = structlog.get_logger()


@dataclass
class Visitor(User):
    """Who has a session.

    Attributes:
        person: Of the page's people; None: somebody without a name.
    """

    person: Person | None = None


class Doorkeeper:
    """Proves who comes; asyncua calls it from the event loop. A password takes some tens of milliseconds.

    Args:
        people: Who may.
        attempts: Who tries too often.
        trusted: Whose certificates are trusted; None where nothing is encrypted.
        anonymous: Whether somebody without a name may look on.
    """

    def __init__(
        self, people: People, attempts: Attempts, trusted: TrustedCertificates | None, *, anonymous: bool
    ) -> None:
        self._people = people
        self._attempts = attempts
        self._trusted = trusted
        self.anonymous = anonymous

    def require_trusted(self, certificate: bytes | None) -> None:
        """Make sure that the client may come at all.

        Raises:
            ServiceError: Its certificate is not trusted.
        """
        if self._trusted is None:
            return
        why = self._trusted.refusal(certificate or b"")
        if why is not None:
            log.warning("client_refused", detail=why)
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    def get_user(
        self, _server: InternalServer, username: str | None = None, password: Any = None, **_more: object
    ) -> Visitor | None:
        """Who this is, or None: they are not let in; as asyncua asks."""
        if username is None:
            return Visitor(UserRole.User) if self.anonymous else None
        if self._attempts.wait_s(username, ADDRESS) > 0:
            log.warning("sign_in_refused", name=username, detail="too many attempts")
            return None
        self._attempts.begin(username, ADDRESS)
        try:
            said = password.decode() if isinstance(password, bytes) else str(password)
            person = self._people.prove(username, said)
        except (PageError, UnicodeDecodeError) as error:
            log.warning("sign_in_refused", name=username, detail=str(error))
            return None
        if person is None:
            log.warning("sign_in_refused", name=username, detail="name or password is wrong")
            return None
        self._attempts.succeed(username, ADDRESS)
        return Visitor(UserRole.User, person.name, person)


CALLER: ContextVar["StationSession"] = ContextVar("caller")
"""Whose method call is carried out."""


class StationSession(InternalSession):
    """A session that is let in by the doorkeeper, and known to the methods that it calls."""

    iserver: "StationServer"

    @property
    def token(self) -> str:
        """What the hand is held by."""
        return str(self.session_id.Identifier)

    @property
    def person(self) -> Person | None:
        """Who calls."""
        return self.user.person if isinstance(self.user, Visitor) else None

    def activate_session(
        self, params: ua.ActivateSessionParameters, peer_certificate: bytes | None
    ) -> ua.ActivateSessionResult:
        """Let a client in, or refuse it.

        Raises:
            ServiceError: Its certificate is not trusted, or so many are here already; or as asyncua says.
        """
        if self.external:
            self.iserver.doorkeeper.require_trusted(peer_certificate)
            if not self.is_activated() and self.iserver.sessions >= self.iserver.most_sessions:
                log.warning("client_refused", detail=f"{self.iserver.most_sessions} are here already")
                raise ServiceError(ua.StatusCodes.BadTooManySessions)
        return super().activate_session(params, peer_certificate)

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        """Carry out method calls."""
        caller = CALLER.set(self)
        try:
            answers: list[ua.CallMethodResult] = await super().call(params)
            return answers
        finally:
            CALLER.reset(caller)

    async def close_session(self, delete_subs: bool = True) -> None:  # noqa: FBT001, FBT002  # asyncua's signature
        """End it, and the hand with it."""
        await super().close_session(delete_subs)
        if self.external:
            self.iserver.on_closed(self.token)


class StationServer(InternalServer):
    """asyncua's server with the station's sessions and limits.

    Args:
        doorkeeper: Who proves whoever comes.
        most_sessions: So many at a time.
        session_timeout_s: The longest that a session may be silent.
    """

    def __init__(self, doorkeeper: Doorkeeper, most_sessions: int, session_timeout_s: float) -> None:
        super().__init__(user_manager=doorkeeper)
        self.doorkeeper = doorkeeper
        self.most_sessions = most_sessions
        self.on_closed: Callable[[str], None] = lambda _token: None
        self.max_session_timeout_ms = 1000.0 * session_timeout_s
        self.max_connections = most_sessions + CHANNELS_BESIDE
        self.max_subscriptions = most_sessions * SUBSCRIPTIONS_EACH
        self.max_lifetime_count = MOST_LIFETIME
        self.max_monitored_item_queue_size = QUEUE
        self.max_unacked_messages_per_subscription = QUEUE

    def create_session(self, name: str, user: User | None = None, external: bool = False) -> InternalSession:  # noqa: FBT001, FBT002  # asyncua's signature
        """A session of the station's."""
        return StationSession(self, self.aspace, self.subscription_service, name, user or User(), external=external)

    async def close_sessions(self) -> None:
        """End every session, also of clients that are gone and might have come back."""
        for one in list(self._external_sessions.values()):
            await one.close_session()

    @property
    def live(self) -> list[StationSession]:
        """The sessions that are let in."""
        return [
            one for one in self._external_sessions.values() if isinstance(one, StationSession) and one.is_activated()
        ]

    @property
    def sessions(self) -> int:
        """How many are let in."""
        return len(self.live)

    @property
    def subscriptions(self) -> int:
        """How many subscriptions there are, also of clients that are gone and may come back."""
        return len(self.subscription_service.subscriptions)


class Visits:
    """Who is there, as the hand wants to know it.

    Args:
        server: With its sessions.
        people: Who may be.
    """

    def __init__(self, server: StationServer, people: People) -> None:
        self._server = server
        self._people = people

    def of(self, token: str) -> Person | None:
        """Who has this session and still the same role, or None. Blocks.

        Raises:
            PageError: The people cannot be read.
        """
        here = next((one.person for one in self._server.live if one.token == token), None)
        return here if here is not None and here in self._people.everybody() else None


def may(person: Person | None, roles: frozenset[Role]) -> bool:
    """Whether somebody of these roles calls."""
    return person is not None and person.role in roles
