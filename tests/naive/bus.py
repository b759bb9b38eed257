"""Oracle: what is seen of frames, one frame at a time, with all frames before it at hand."""

import math
from statistics import median

HISTORY, GAPS, FEWEST, MOST = 32, 256, 4, 1000.0


def features(frames):
    """Return a dictionary a frame; frames are (seconds, bus, id, payload as bytes or None), in order."""
    told, past = [], []
    clock, start, recording, last = None, None, 0, None
    for time, bus, name, payload in frames:
        if last is not None and time < last - 1.0:
            clock, recording = None, recording + 1
        if clock is None:
            start = time
        clock, last = time if clock is None else max(clock, time), time
        of_id = [each for each in past if (each["bus"], each["id"]) == (bus, name)]
        row = {"bus": bus, "id": name, "payload": payload, "clock": clock, "recording": recording}
        row |= against(of_id, row)
        known = clock - start >= 1.0
        here = [
            each for each in (*past, row) if each["recording"] == recording and each["clock"] > clock - 1.0
        ]
        same = [each for each in here if each["bus"] == bus]
        row["frames in a second"] = len(same) if known else None
        row["frames of the id in a second"] = sum(each["id"] == name for each in same) if known else None
        past.append(row)
        told.append(row)
    return told


def against(of_id, row):
    """Return what is told of a frame beside those of its id before it."""
    told = {"gap": None, "bytes changed": None, "bits changed": None, "largest change of a byte": None}
    payload = row["payload"]
    if of_id:
        before = of_id[-1]
        if before["recording"] == row["recording"]:
            told["gap"] = row["clock"] - before["clock"]
        if payload is not None and before["payload"] is not None:
            pairs = list(zip(payload, before["payload"], strict=False))
            told["bytes changed"] = sum(a != b for a, b in pairs) + abs(len(payload) - len(before["payload"]))
            told["bits changed"] = sum((a ^ b).bit_count() for a, b in pairs)
            told["largest change of a byte"] = max((abs(a - b) for a, b in pairs), default=0)
    gaps = [each["gap"] for each in of_id[-GAPS:] if each["recording"] == row["recording"]]
    gaps = [gap for gap in gaps if gap is not None]
    usual = [each["bits changed"] for each in of_id[-HISTORY:] if each["bits changed"] is not None]
    told["gap relative"] = told["bits relative"] = None
    if len(gaps) >= FEWEST and told["gap"] is not None:
        told["gap relative"] = min((told["gap"] + 1e-6) / (median(gaps) + 1e-6), MOST)
    if len(usual) >= FEWEST and told["bits changed"] is not None:
        told["bits relative"] = (told["bits changed"] + 1) / (median(usual) + 1)
    told["beyond"] = beyond([each["payload"] for each in of_id[-HISTORY:]], payload)
    told["came before"] = float(any(each["payload"] == payload for each in of_id))
    return told


def beyond(earlier, payload):
    away = []
    for place, value in enumerate(payload or b""):
        there = [each[place] for each in earlier if each is not None and len(each) > place]
        if len(there) >= FEWEST:
            away.append(max(min(there) - value, value - max(there), 0))
    return max(away, default=None)


def alike(a, b):
    return a is b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9))
