"""Browsers in words: what a list of sessions calls one, so that a person knows which is which."""

UNKNOWN = "a browser"

BROWSERS = (
    # In this order: most of them claim to be those below, too.
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)

SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    # An iPad that asks for the pages of a desktop says this, too.
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def describe(agent: str) -> str:
    """
    Of a `User-Agent`: `Firefox on Android`. It is only what the browser says of itself.

    Nothing of its text is taken over: somebody else will read it in a list.
    """
    browser = _first(BROWSERS, agent) or UNKNOWN
    system = _first(SYSTEMS, agent)
    return browser if system is None else f"{browser} on {system}"


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str | None:
    return next((name for mark, name in known if mark in agent), None)
