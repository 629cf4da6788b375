#!/usr/bin/env python3
# How a message sounds, by a few words: what analyze says, from a script. Mode sync: it may write any number of lines for each line it
# reads; what it does not know it passes on, and so the lines come back by which stage knows how far it is. flush=True is needed.
#   stage -i ipc://run/to-mood -o ipc://run/in -a sync -s mood -- scripts/examples/mood.py
# In the place of analyze, while lines flow:  penstock swap analyze -- scripts/examples/mood.py
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    if e["type"] != "chat.message":
        print(line, end="", flush=True)
        continue
    words = e["data"]["text"].lower().split()
    joy = sum(w in ("good", "great", "thanks", "love") for w in words) / max(1, len(words))
    print(json.dumps({"type": "analysis.emotion", "causationid": e["id"], "data": {
        "message_id": e["id"], "channel": e["data"]["channel"], "user": e["data"]["user"],
        "top": "joy" if joy else "neutral", "scores": {"joy": joy, "neutral": 1 - joy}}}), flush=True)
