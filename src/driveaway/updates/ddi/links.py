"""Absolute addresses that a car is given. Clients build those of feedback themselves: the shape is fixed."""

from __future__ import annotations

from urllib.parse import quote

import msgspec


class Links(msgspec.Struct, frozen=True):
    """Addresses for one car.

    Attributes:
        base: scheme, host, port and path before the tenant, without a slash at the end.
        tenant: the tenant in the path.
        controller_id: the car.
        plain: the base under which artifacts may be had without TLS as well, "" where they may not.
    """

    base: str
    tenant: str
    controller_id: str
    plain: str = ""

    @property
    def controller(self) -> str:
        """The car's own resource."""
        return f"{self.base}{self._path}"

    @property
    def _path(self) -> str:
        return f"/{quote(self.tenant, safe='')}/controller/v1/{quote(self.controller_id, safe='')}"

    def deployment(self, action: int, tag: int) -> str:
        """A deployment; ``tag`` changes when what it says does."""
        return f"{self.controller}/deploymentBase/{action}?c={tag}"

    def confirmation(self, action: int, tag: int) -> str:
        """What waits for a confirmation."""
        return f"{self.controller}/confirmationBase/{action}?c={tag}"

    def cancellation(self, action: int) -> str:
        """A request to stop."""
        return f"{self.controller}/cancelAction/{action}"

    def installed(self, action: int) -> str:
        """What was installed last."""
        return f"{self.controller}/installedBase/{action}"

    @property
    def config_data(self) -> str:
        """Where attributes go."""
        return f"{self.controller}/configData"

    def auto_confirm(self, *, activate: bool) -> str:
        """Where confirming without asking is switched on or off."""
        return f"{self.controller}/confirmationBase/{'activate' if activate else 'deactivate'}AutoConfirm"

    def artifact(self, module: int, filename: str) -> dict[str, str]:
        """A file and its MD5 sum, by the names of the links: with TLS, and without where that is allowed."""
        found: dict[str, str] = {}
        if self.base.startswith("https:"):
            found |= self._artifact(self.base, module, filename, "")
        plain = self.base if self.base.startswith("http:") else self.plain
        if plain:
            found |= self._artifact(plain, module, filename, "-http")
        return found

    def _artifact(self, base: str, module: int, filename: str, suffix: str) -> dict[str, str]:
        at = f"{base}{self._path}/softwaremodules/{module}/artifacts/{quote(filename, safe='')}"
        return {f"download{suffix}": at, f"md5sum{suffix}": f"{at}.MD5SUM"}
