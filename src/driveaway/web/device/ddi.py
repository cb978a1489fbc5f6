"""The resources of hawkBit's DDI v1, each answered by the room."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar
from urllib.parse import quote

from driveaway.updates.ddi import messages
from driveaway.values.errors import NotFound
from driveaway.web.device.asking import Room
from driveaway.web.device.cars import Cars, Variant
from driveaway.web.device.desk import Desk
from driveaway.web.device.options import Limits
from driveaway.web.device.requests import Request, history_length, number
from driveaway.web.http.answers import Response, document, text
from driveaway.web.http.conditions import Outcome, evaluate
from driveaway.web.http.errors import HttpError
from driveaway.web.http.files import Served, send_file
from driveaway.web.http.media import decoded, encoded, negotiated

Content = TypeVar("Content")
_DONE = Response(200)
_MD5SUM = ".MD5SUM"


class Resources:
    """What there is below a car's path. A handler answers, or returns None when it has sent itself."""

    def __init__(self, desk: Desk, room: Room, cars: Cars, limits: Limits) -> None:
        self._desk = desk
        self._room = room
        self._cars = cars
        self._limits = limits

    # --- the poll ---

    async def base(self, request: Request) -> Response:
        """What a car polls; remembered until something changes for it."""
        media = negotiated(request.headers.get(b"accept"))
        ticket = self._cars.ask(request.controller_id)
        try:
            polled = await self._room.read(
                self._desk.base, request.controller_id, request.links, request.client.address
            )
            body = encoded(polled.document, media)
            etag = b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()
            variant = request.variant or Variant(request.client.base, media)
            self._cars.keep_document(ticket, variant, body, etag, polled.valid_until)
        finally:
            self._cars.done(ticket)
        self._desk.seen(request.controller_id, request.client.address, time.time_ns() // 1000)
        headers = (*variant.headers, (b"etag", etag))
        outcome = evaluate(request.method, request.headers, etag.decode())
        if outcome is Outcome.NOT_MODIFIED:
            return Response(304, headers)
        if outcome is Outcome.FAILED:
            raise HttpError("the document is another one by now", code="http.precondition")
        return Response(200, headers, body)

    # --- documents ---

    async def deployment(self, request: Request) -> Response:
        """What is to be installed."""
        return await self._document(request, self._desk.deployment)

    async def installed(self, request: Request) -> Response:
        """What was installed last."""
        return await self._document(request, self._desk.installed)

    async def cancellation(self, request: Request) -> Response:
        """What is to be stopped."""
        action = number(request.parts[1], "action")
        return await self._answer(request, self._desk.cancellation, action)

    async def confirmation(self, request: Request) -> Response:
        """What is to be confirmed."""
        action = number(request.parts[1], "action")
        length = history_length(request.scope["query_string"])
        return await self._answer(request, self._desk.confirmation, action, request.links, length)

    async def confirmation_base(self, request: Request) -> Response:
        """Whether the car confirms by itself."""
        return await self._answer(request, self._desk.confirmation_base, request.links)

    async def artifacts(self, request: Request) -> Response:
        """The artifacts of a module."""
        module = number(request.parts[1], "module")
        return await self._answer(request, self._desk.module_artifacts, module, request.links)

    async def _document(self, request: Request, method: Callable[..., Any]) -> Response:
        action = number(request.parts[1], "action")
        length = history_length(request.scope["query_string"])
        return await self._answer(request, method, action, length, request.links)

    async def _answer(self, request: Request, method: Callable[..., Any], *arguments: Any) -> Response:
        media = negotiated(request.headers.get(b"accept"))
        content = await self._room.read(method, request.controller_id, *arguments)
        return document(content, media, headers=((b"cache-control", b"private, no-cache"),))

    # --- what cars say ---

    async def config_data(self, request: Request) -> Response:
        """What a car says of itself."""
        config = await self._body(request, messages.ConfigData)
        await self._change(request, self._desk.put_attributes, config)
        return _DONE

    async def feedback(self, request: Request) -> Response:
        """How far a car is."""
        return await self._feedback(request, self._desk.feedback)

    async def cancel_feedback(self, request: Request) -> Response:
        """Whether a car stopped."""
        return await self._feedback(request, self._desk.cancel_feedback)

    async def confirm(self, request: Request) -> Response:
        """Whether a car confirms."""
        action = number(request.parts[1], "action")
        said = await self._body(request, messages.ConfirmationFeedback)
        await self._change(request, self._desk.confirm, action, said)
        return _DONE

    async def put_installed(self, request: Request) -> Response:
        """What a car runs."""
        said = await self._body(request, messages.InstalledBase)
        created = await self._change(request, self._desk.put_installed, said)
        return Response(201) if created else _DONE

    async def activate_auto_confirm(self, request: Request) -> Response:
        """A car confirms by itself from now on."""
        wish = await self._body(request, messages.AutoConfirmRequest, optional=True)
        await self._change(request, self._desk.activate_auto_confirm, wish)
        return _DONE

    async def deactivate_auto_confirm(self, request: Request) -> Response:
        """A car is asked each time from now on."""
        await request.body.read(self._limits.body, self._limits.body_seconds)
        await self._change(request, self._desk.deactivate_auto_confirm)
        return _DONE

    async def _feedback(self, request: Request, method: Callable[..., Any]) -> Response:
        action = number(request.parts[1], "action")
        said = await self._body(request, messages.ActionFeedback)
        await self._change(request, method, action, said)
        return _DONE

    async def _body(self, request: Request, kind: type[Content], *, optional: bool = False) -> Content:
        body = await request.body.read(self._limits.body, self._limits.body_seconds)
        if optional and not body.strip():
            return kind()
        return decoded(body, request.headers.get(b"content-type"), kind)

    async def _change(self, request: Request, method: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return await self._room.change(method, request.controller_id, *arguments)
        finally:
            # The car's next poll must not be answered with what was true before.
            self._cars.changed((request.controller_id,))

    # --- artifacts ---

    async def artifact(self, request: Request) -> Response | None:
        """A file, or the line by which ``md5sum -c`` checks it."""
        module, filename = number(request.parts[1], "module"), request.parts[3]
        if filename.endswith(_MD5SUM):
            try:
                return await self._md5sum(request, module, filename.removesuffix(_MD5SUM))
            except NotFound:
                pass  # It may be the name of an artifact itself.
        found, path = await self._found(request, module, filename)
        served = Served(path, f'"{found.sha1}"', found.created, found.size, filename=found.filename)
        await send_file(request.scope, request.headers, request.send, served)
        return None

    async def _md5sum(self, request: Request, module: int, filename: str) -> Response:
        found, _ = await self._found(request, module, filename)
        answer = text(f"{found.md5}  {found.filename}")
        saved = f"attachment; filename*=UTF-8''{quote(found.filename + _MD5SUM, safe='')}"
        return answer._replace(headers=(*answer.headers, (b"content-disposition", saved.encode())))

    async def _found(self, request: Request, module: int, filename: str) -> Any:
        key = (module, filename)
        car = request.car
        if car is not None and car.files is not None and car.epoch == self._cars.epoch and key in car.files:
            return car.files[key]
        ticket = self._cars.ask(request.controller_id)
        try:
            found = await self._room.read(self._desk.artifact, request.controller_id, module, filename)
            self._cars.keep_file(ticket, key, found)
        finally:
            self._cars.done(ticket)
        return found
