"""Discord's gateway: its sessions and connections, the door of a connection, and whom an event is for."""
import zlib

import limits
import wsproto
import zstd
from discord_conn import Conn
from discord_session import Session, compact
from httpserver import Hang, Reset, Upgrade, answer


class Gateway:
    def __init__(self, lab):
        self.lab, self.set, self.books, self.world = lab, lab.settings, lab.books, lab.world
        self.sessions, self.conns = {}, {}
        self.numbers = 0
        self.members_asked = {}
        self.fatal = {}                 # an Identify -> the code that forbids it
        self.windows = {}
        self.dead_urls = {}             # session number -> "reset", "404", "hang"
        self.guild_texts = {}

    def identify_window(self, bot):
        if bot.id not in self.windows:
            self.windows[bot.id] = limits.Window(self.set["discord.identify_total"], self.set["discord.identify_period_s"])
        w = self.windows[bot.id]
        w.limit = self.set["discord.identify_total"]
        return w

    def new_session(self, bot, shard, intents, secure):
        self.numbers += 1
        s = Session(self, bot, shard[0], shard[1], intents, self.numbers)
        s.resume_url = self.lab.ws_url(f"/discord-resume/{s.number}", secure)
        self.sessions[s.id] = bot.sessions[s.id] = s
        return s

    def reset_token(self, bot):
        """What crossing the daily limit does: every session dies and the token is another."""
        bot.reset_token()
        for s in list(bot.sessions.values()):
            conn = s.conn
            s.end("token reset")
            if conn:
                conn.close(4004, "token reset")
        self.books.note("token-reset", platform="discord", bot=bot.id)

    def guild_text(self, guild, bot):
        """Kept while it is the same, the last message of each channel included."""
        key = (len(guild.members), len(guild.roles), *((c.name, next(reversed(c.messages), None)) for c in guild.channels.values()))
        kept = self.guild_texts.get((guild.id, bot.id))
        if kept is None or kept[0] != key:
            kept = self.guild_texts[guild.id, bot.id] = (key, compact(guild.json(bot)))
        return kept[1]

    def door(self, request):
        """The answer to a handshake. A resume URL may be dead."""
        dead = self.dead_urls.get(request.path.strip("/").rpartition("/")[2]) if request.path.startswith("/discord-resume/") else None
        if dead:
            self.books.note("dead-url", platform="discord", path=request.path, form=dead)
        if dead == "hang":
            raise Hang()
        if dead == "reset":
            raise Reset()
        if dead:
            return answer(int(dead) if dead.isdigit() else 404)
        return Upgrade(lambda ws: self.serve(request, ws))

    async def serve(self, request, ws):
        """A handshake has been answered. Checks the query, then lives until the end of the connection."""
        self.lab.conn_numbers += 1
        conn = Conn(self, request, ws, self.lab.conn_numbers)
        self.conns[conn.id] = self.lab.conns[conn.id] = conn
        q = request.query
        try:
            if not conn.note("connect", path=request.path, query=request.query_text, peer=request.peer) and conn.over:
                return
            compress = q.get("compress")
            if q.get("v") != "10":
                return await self.refuse(conn, 4012, f"API version {q.get('v')}", "api-version")
            if q.get("encoding", "json") != "json":
                return await self.refuse(conn, 4012, f"encoding {q['encoding']}: the lab speaks json only", "encoding")
            if "encoding" not in q:
                self.books.violation("encoding", platform="discord", conn=conn.id, why="the query does not name it")
            if compress == "zlib-stream":
                z = zlib.compressobj()
                conn.deflate = lambda data: z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH)
            elif compress == "zstd-stream" and zstd.available():
                conn.deflate = zstd.Stream().add
            elif compress:
                why = ": the lab has no libzstd.so.1 here" if compress == "zstd-stream" else ""
                return await self.refuse(conn, 4002, f"compress={compress}{why}", "compress")
            conn.compress = compress
            await conn.run()
        finally:
            self.conns.pop(conn.id, None)
            self.lab.conns.pop(conn.id, None)

    async def refuse(self, conn, code, why, rule):
        conn.close(code, why, by_rule=rule)
        try:
            while True:
                await conn.ws.recv()
        except (wsproto.Gone, wsproto.WsError):
            pass

    # Events

    def dispatch(self, t, d, intent=0, guild=None, bot=None, object_id=None, filtered=None):
        """To every session that is to have it: of the guild's shard (shard 0 without a guild), with the intent. bot: only of that one.
        filtered(session): d for a session that may see less. How many sessions."""
        text, n = None, 0
        for b in [bot] if bot else list(self.world.bots.values()):
            if guild and guild.id not in b.guilds:
                continue
            for s in list(b.sessions.values()):
                if s.shard != (guild.shard(s.shards) if guild else 0) or intent & ~s.intents:
                    continue
                less = filtered(s) if filtered else None
                if less is not None:
                    s.dispatch(t, compact(less), object_id)
                else:
                    text = text or compact(d)
                    s.dispatch(t, text, object_id)
                n += 1
        return n
