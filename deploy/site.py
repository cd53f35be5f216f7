"""A person's view of the running site over HTTP: sign in, ask, fetch. Used to watch and check the demo."""

from __future__ import annotations

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Site:
    """One signed-in visitor of `address`, such as "http://127.0.0.1:8000"."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._cookies = http.cookiejar.CookieJar()
        # No proxy: the site is on this machine, whatever the environment says of the world outside.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies)
        )

    def answers(self) -> bool:
        """Does the site show its sign-in page?"""
        try:
            return bool(self.get("/accounts/login/"))
        except OSError:
            return False

    def listens(self) -> bool:
        """Does anything answer there, be it a redirect to TLS or a refusal of this host's name?"""
        try:
            self.get("/accounts/login/")
        except urllib.error.HTTPError as error:
            return error.code < 500
        except urllib.error.URLError as error:
            # Behind TLS every page redirects to https, which the proxy speaks and this process does not.
            return "SSL" in str(error.reason) or "TLS" in str(error.reason)
        except OSError:
            return False
        return True

    def sign_in(self, email: str, password: str) -> bool:
        """Sign in by the form a person fills in. False when the password is not (or no longer) right."""
        page = self.get("/accounts/login/").decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        fields = {"login": email, "password": password, "csrfmiddlewaretoken": token.group(1) if token else ""}
        request = urllib.request.Request(  # noqa: S310 - the address is this machine's own
            f"{self.address}/accounts/login/",
            data=urllib.parse.urlencode(fields).encode(),
            headers={"Referer": f"{self.address}/accounts/login/"},
        )
        try:
            with self._opener.open(request, timeout=30):
                pass
            return bool(self.json("/api/me/").get("email"))
        except urllib.error.HTTPError:
            return False

    def get(self, path: str) -> bytes:
        """The bytes behind a path. Raises OSError (HTTPError for an error status)."""
        with self._opener.open(urllib.parse.urljoin(self.address, path), timeout=60) as answer:
            return bytes(answer.read())

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))
