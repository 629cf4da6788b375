"""Tables of what faults do: functions by name, with the words that each understands."""

COMMON = {"platform": ("discord", "twitch"), "shard": str, "conn": str, "pick": int}       # which connections: of all


def wrong(value, kind):
    """What is wrong with a word's value; None: nothing. kind: a tuple of values, or a function that raises ValueError."""
    if isinstance(kind, tuple):
        return None if value in kind else "want " + ", ".join(kind)
    try:
        kind(value)
    except ValueError as e:
        return str(e)
    return None


class Deeds(dict):
    """Called with a name, the kinds of its arguments (of which `need` must be there) and of its words it is the decorator that enters a function."""

    def __init__(self):
        super().__init__()
        self.spec = {}

    def __call__(self, name, *args, need=0, **words):
        def add(f):
            self[name], self.spec[name] = f, (args, need, words)
            return f
        return add

    def check(self, name, args, words):
        """ValueError says which word is none."""
        kinds, need, known = self.spec[name]
        if not need <= len(args) <= len(kinds):
            raise ValueError(f"{name}: {len(args)} arguments, want {need if need == len(kinds) else f'{need} to {len(kinds)}'}")
        for value, kind in zip(args, kinds):
            if (why := wrong(value, kind)):
                raise ValueError(f"{name} {value}: {why}")
        for word, value in words.items():
            kind = known.get(word, COMMON.get(word))
            if kind is None:
                raise ValueError(f"{name}: no word {word}; there are: {' '.join(sorted({**known, **COMMON}))}")
            if (why := wrong(value, kind)):
                raise ValueError(f"{word}={value}: {why}")
