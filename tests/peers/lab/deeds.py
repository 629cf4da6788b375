"""A table of functions by name."""


class Deeds(dict):
    """Called with a name it is the decorator that enters a function."""

    def __call__(self, name):
        def add(f):
            self[name] = f
            return f
        return add
