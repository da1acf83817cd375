"""Which of the rails or columns of a log are read: one, a sum of several, or the total of a known board.

It reads no files.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from harness.issues import quoted
from harness.traces.trace import TraceFault, TraceOptionError

PLUS = "+"


def chosen_channels(channel: str | None, known: Sequence[str], default: Sequence[str] = ()) -> list[str]:
    """Channels to add up.

    Args:
        channel: what the options ask for: one channel, or several joined by `+`; None takes the default.
        known: channels of the log.
        default: channels whose sum is the total; empty where the log has no total.

    Raises:
        TraceOptionError: a channel is not known or named twice, or none is named where there is no total.

    >>> chosen_channels("A+B", ["A", "B", "C"])
    ['A', 'B']
    """
    if channel is None and default:
        return list(default)
    if channel is not None and channel in known:
        return [channel]
    wanted = [] if channel is None else [name.strip() for name in channel.split(PLUS)]
    bad = next((name for name in wanted if name not in known), None)
    if bad is not None or not wanted:
        raise channel_error(bad, known)
    if len(set(wanted)) < len(wanted):
        found = f"channel {quoted(str(channel))}, with one rail twice"
        raise TraceOptionError(TraceFault("trace-channel", found, "each rail once", "Name each rail once."))
    return wanted


def channel_error(channel: str | None, channels: Sequence[str]) -> TraceOptionError:
    """Error for a channel that is missing or not known, with the known ones, the nearest first."""
    wanted = (channel or "").casefold()
    near = sorted(channels, key=lambda known: -SequenceMatcher(None, wanted, known.casefold()).ratio())
    found = "no channel" if channel is None else f"channel {quoted(channel)}"
    listed = ", ".join(quoted(known) for known in (near if channel else channels))
    fix = "Name the channel whose power is to be read, or several joined by +."
    return TraceOptionError(TraceFault("trace-channel", found, f"one of {listed}", fix))
