"""id.twitch.tv/oauth2: app tokens, refresh, code and device flow, validate, revoke."""
import time
import uuid

from httpserver import HttpError, answer


def failed(status, message):
    return HttpError(status, {"status": status, "message": message})


class OAuth:
    def __init__(self, lab):
        self.lab, self.set, self.books, self.world = lab, lab.settings, lab.books, lab.world
        self.devices, self.codes = {}, {}

    async def serve(self, request):
        name = request.path[len("/oauth2/"):]
        f = {("POST", "token"): self.token, ("GET", "validate"): self.validate, ("POST", "revoke"): self.revoke,
             ("POST", "device"): self.device}.get((request.method, name))
        if f is None:
            return answer(404, {"status": 404, "message": "Not Found"})
        try:
            return f(request)
        except HttpError as e:
            return e.response

    def client_of(self, form, secret=True):
        client = self.world.tw_clients.get(form.get("client_id"))
        if client is None:
            raise failed(400, "invalid client")
        if secret and form.get("client_secret") != client.secret:
            raise failed(403, "invalid client secret")
        return client

    def token(self, request):
        form = request.form()
        if request.query.get("client_secret"):
            self.books.note("secret-in-url", platform="twitch", path=request.path)       # unwise, and allowed
        grant = form.get("grant_type")
        self.books.note("token-asked", platform="twitch", grant=grant)
        if grant == "client_credentials":
            client = self.client_of(form)
            token = self.world.tw_token(client, None, (), self.set["twitch.app_token_s"])
            return answer(200, {"access_token": token.access, "expires_in": token.seconds_left, "token_type": "bearer"})
        if grant == "refresh_token":
            return self.refresh(form)
        if grant == "authorization_code":
            client = self.client_of(form)
            found = self.codes.pop(form.get("code"), None)
            if found is None or found[0] is not client:
                raise failed(400, "Invalid authorization code")
            return self.granted(*found)
        if grant == "urn:ietf:params:oauth:grant-type:device_code":
            client = self.client_of(form, secret=False)
            device = self.devices.get(form.get("device_code"))
            if device is None:
                raise failed(400, "invalid device code")
            if device["user"] is None:
                raise failed(400, "authorization_pending")
            del self.devices[form["device_code"]]
            return self.granted(client, device["user"], device["scopes"])
        raise failed(400, "missing or unknown grant type")

    def granted(self, client, user, scopes):
        token = self.world.tw_grant(client, user, scopes, self.set["twitch.user_token_s"])
        return self.user_token(token)

    def user_token(self, token):
        return answer(200, {"access_token": token.access, "refresh_token": token.refresh, "expires_in": token.seconds_left,
                            "scope": sorted(token.scopes), "token_type": "bearer"})

    def refresh(self, form):
        client = self.client_of(form)
        old = form.get("refresh_token", "")
        found = self.world.tw_refresh.get(old)
        if found is None or found[0] is not client or client.id not in found[1].grants:
            if old in self.world.spent_refresh:
                self.books.violation("refresh-token-reuse", platform="twitch", user=self.world.spent_refresh[old])
            raise failed(400, "Invalid refresh token")
        _, user, scopes = found
        once = self.set["twitch.refresh_once"]
        if once:
            del self.world.tw_refresh[old]
            self.world.spent_refresh[old] = user.id
        token = self.world.tw_token(client, user, scopes, self.set["twitch.user_token_s"], refresh=once)
        if not once:
            token.refresh = old
        self.books.note("token-refreshed", platform="twitch", user=user.id)
        return self.user_token(token)

    def validate(self, request):
        auth = request.header("authorization", "")
        if not auth.startswith("OAuth "):
            if auth.startswith("Bearer "):
                self.books.violation("validate-scheme", platform="twitch", why="validate wants Authorization: OAuth")
            raise failed(401, "missing authorization token")
        token = self.world.tw_tokens.get(auth[6:])
        self.books.note("validate", platform="twitch", good=bool(token and token.good))
        if token is None or not token.good:
            raise failed(401, "invalid access token")
        token.validated = time.monotonic()
        out = {"client_id": token.client.id, "scopes": sorted(token.scopes), "expires_in": token.seconds_left}
        if token.user:
            out.update(login=token.user.login, user_id=token.user.id)
        return answer(200, out)

    def revoke(self, request):
        form = request.form()
        self.client_of(form, secret=False)
        token = self.world.tw_tokens.get(form.get("token"))
        if token is None or not token.good:
            raise failed(400, "Invalid token")
        token.revoked = True
        return answer(200)

    def device(self, request):
        form = request.form()
        self.client_of(form, secret=False)
        code = uuid.uuid4().hex
        self.devices[code] = {"user": None, "scopes": form.get("scopes", "").split(), "user_code": uuid.uuid4().hex[:8].upper(),
                              "at": time.time()}
        return answer(200, {"device_code": code, "expires_in": 1800, "interval": 5, "user_code": self.devices[code]["user_code"],
                            "verification_uri": self.lab.http_url("/oauth2/activate?device-code=" + self.devices[code]["user_code"])})
