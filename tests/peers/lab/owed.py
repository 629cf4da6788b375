"""What a client must have got by now: the base of a test that asks whether anything was lost.

owed:     Discord would replay it, or the client itself has said that it has it (by the s of a Resume); on Twitch it was written to a socket that
          lives, was moved by the server, or was closed by the client, and that no fault has spoiled; or sent to a callback that took it, or that will be
          asked again.
at_risk:  it was in a session, or written to a socket, that the lab has ended: the client may have it, and if not, a gap must be told.
outside:  it was said while nobody was there to get it.
Chat messages only, by the id of the message. Discord: of every guild the bot is in, as long as the channels' histories reach.
"""


def discord(lab, bot):
    owed, risk, seen = set(), set(), set()
    for s in lab.gateway.sessions.values():
        if s.bot is not bot:
            continue
        durable = max((r["seq"] for r in s.resumes if type(r["seq"]) is int), default=0)
        for seq, t, id, _ in filter(None, s.events):
            if t == "MESSAGE_CREATE":
                seen.add(id)
                (owed if s.ended is None or seq <= durable else risk).add(id)
    said = [m for g in bot.guilds.values() for c in g.channels.values() for m in c.messages]
    return {"owed": sorted(owed, key=int), "at_risk": sorted(risk - owed, key=int), "outside": [m for m in said if m not in seen]}


def twitch(lab):
    owed, risk = {}, {}
    for s in lab.eventsub.all_sockets:
        for _, t, chat, written in s.sent:
            if t == "channel.chat.message" and chat:
                kept = not s.over or s.moved_to or (s.ws.closed_with is None and s.client_closed)
                (owed if written and kept and not s.spoiled else risk)[chat] = True
    for hook in lab.hooks.sent:
        if hook["type"] == "channel.chat.message" and hook["chat"]:
            (risk if hook["given_up"] else owed)[hook["chat"]] = True
    return {"owed": list(owed), "at_risk": [i for i in risk if i not in owed],
            "outside": [i for i in lab.twitch_chat.messages if i not in owed and i not in risk]}
