"""An OpenID Connect provider in a process of its own, as small as the code flow with PKCE allows: whoever comes is
`login`. It holds the caller to what the standard says. Run as a program: prints its port.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "dialer", "a secret of the client"
_KEY = RSAKey.generate_key(2048, {"kid": "1"})
_OTHER = RSAKey.generate_key(2048, {"kid": "1"})
_given: dict[str, dict[str, str]] = {}
lies: dict[str, object] = {}
"""Claims that the provider states falsely, for the tests; `key`: signed by another key."""


class Provider(BaseHTTPRequestHandler):
    """Answers /.well-known/openid-configuration, /authorize, /token, /keys, and /lie (of the tests)."""

    def log_message(self, *_: object) -> None:
        pass

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            self.json({"issuer": self.issuer} | {name: self.issuer + path for name, path in paths.items()})
        elif parts.path == "/keys":
            self.json({"keys": [_KEY.as_dict(private=False)]})
        elif parts.path == "/lie":
            lies.clear()
            lies.update(json.loads(asked["claims"]))
            self.json({})
        elif parts.path == "/authorize":
            assert asked["response_type"] == "code"
            assert asked["client_id"] == CLIENT
            assert asked["code_challenge_method"] == "S256"
            assert "openid" in asked["scope"].split()
            code = secrets.token_urlsafe(16)
            _given[code] = asked
            answer = urlencode({"code": code, "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{answer}")
            self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        asked = _given.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        proof = urlsafe_b64encode(digest).rstrip(b"=").decode()
        basic = self.headers.get("Authorization", "").startswith("Basic ")
        if asked is None or asked["code_challenge"] != proof or not basic:
            self.json({"error": "invalid_grant"}, status=400)
            return
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "1",
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "preferred_username": "wang",
        } | {name: value for name, value in lies.items() if name not in {"key", "alg"}}
        key, alg = (_OTHER if "key" in lies else _KEY), "RS256"
        token = jwt.encode({"alg": alg, "kid": "1"}, claims, key)
        self.json({"access_token": "x", "token_type": "Bearer", "id_token": token, "expires_in": 300})

    def json(self, answer: dict[str, object], *, status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    print(server.server_address[1], flush=True)
    sys.stdout.close()
    server.serve_forever()
