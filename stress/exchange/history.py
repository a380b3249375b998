"""What a venue remembers of its fund: the peaks of the last hours, in a ring of pieces, and top-ups.

The window is cut into 15 pieces of equal length and 16 are kept, so that a peak is forgotten between 15/15 and
16/15 of the window after it.  Only a run with such limits or top-ups looks at every step.
"""

import math

from stress.exchange.state import BUCKETS
from stress.rules import rule

FORGOTTEN = -1e300


@rule
def watch(state, book, step):
    """Look at the fund after an event: remember its peaks, and let the operator top it up."""
    if book.window_hours > 0.0:
        remember(state, math.floor((step + 1) * book.step_hours * (BUCKETS - 1) / book.window_hours))
    if book.top_up > 0.0 and state.bottomless == 0:
        top_up(state, book)


@rule
def remember(state, bucket):
    """Enter the fund of now into its piece of the history, relative to the start; forget the oldest pieces."""
    for passed in range(state.bucket + 1, bucket + 1):
        state.value_peaks[passed % BUCKETS] = FORGOTTEN
        state.fund_peaks[passed % BUCKETS] = FORGOTTEN
    state.bucket = bucket
    k = bucket % BUCKETS
    state.value_peaks[k] = max(state.value_peaks[k], state.value)
    state.fund_peaks[k] = max(state.fund_peaks[k], state.value + state.topped_up)


@rule
def peak_of(ring):
    """Return the largest entry of a ring."""
    peak = ring[0]
    for k in range(1, BUCKETS):
        peak = max(peak, ring[k])
    return peak


@rule
def top_up(state, book):
    """Let the operator pay in when the marked fund is below its line; what it pays in total is limited."""
    if book.fund_initial + state.topped_up + state.value < book.top_up_below:
        state.topped_up += max(0.0, min(book.top_up, book.top_up_total - state.topped_up))
