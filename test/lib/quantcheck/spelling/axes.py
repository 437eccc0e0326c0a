"""Choices by name: what a program was written with, and what is left out."""


class Axes:
    """Draws one option for each axis of a program's spelling.

    The first option of an axis is the plain one, and most programs leave it on
    few axes only: so a failure points at one of them. `banned` are the features
    ("axis: option") that are not to be drawn, `forced` those that are wherever
    their axis is met. `oddness` is how often an axis is not plain.
    """

    def __init__(self, draw, banned=(), forced=(), oddness=None):
        self.draw, self.banned = draw, frozenset(banned)
        self.forced = frozenset(forced)
        drawn = draw.pick(.08, .25, .25, .6)
        self.oddness = drawn if oddness is None else oddness
        self.features, self.odd = set(), set()

    def __call__(self, axis, *options, odd=None):
        """One of `options`, the first with the program's own probability or
        with 1 - `odd`."""
        allowed = [o for o in options if f"{axis}: {o}" not in self.banned] \
            or options[:1]
        allowed = [o for o in options if f"{axis}: {o}" in self.forced] \
            or allowed
        choice, even = allowed[0], odd == 1
        if len(allowed) > 1 and self.draw.chance(self.oddness if odd is None
                                                 else odd):
            choice = self.draw.pick(*allowed)
        self.features.add(f"{axis}: {choice}")
        if even or choice != options[0]:
            self.odd.add(f"{axis}: {choice}")
        return choice

    def note(self, feature):
        """A feature that follows from the sizes."""
        self.features.add(feature)
        self.odd.add(feature)

    def even(self, axis, *options):
        """One of `options`, each as likely as the others."""
        return self(axis, *options, odd=1)
