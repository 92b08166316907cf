"""Speech for the measurement of quality, and its score (`cargo xtask bench quality`).

score.py speech OUT.wav IN.wav...   puts recordings of speakers one after the other, at one loudness; prints
                                    where each begins and ends, in seconds, as JSON
score.py score SPEECH.wav PLACES ROOM.wav:wide ROOM.wav:narrow...
                                    a room: left what was said, right what was heard, by one clock;
                                    prints PESQ and the delay in ms of each place in each room, as JSON;
                                    of a file with one channel, what was heard, PESQ alone
"""
import json
import multiprocessing
import sys

import numpy as np
from pesq import PesqError, pesq
from scipy.io import wavfile
from scipy.signal import fftconvolve, resample_poly

RATE = 48_000
PAUSE = 0.4


def load(path):
    rate, sound = wavfile.read(path)
    sound = sound.astype(np.float64)
    if sound.ndim > 1:
        sound = sound[:, 0]
    step = np.gcd(rate, RATE)
    return resample_poly(sound, RATE // step, rate // step) if rate != RATE else sound


def speech(out, files):
    """-26 dB below full scale while somebody speaks (ITU-T P.830 section 7)."""
    parts, places, at = [], [], 0
    for file in files:
        sound = load(file)
        loud = np.abs(sound) > 0.02 * np.abs(sound).max()
        first, last = np.flatnonzero(loud)[[0, -1]]
        sound = sound[first:last]
        level = np.sqrt(np.mean(sound[loud[first:last]] ** 2))
        sound *= 32_768 * 10 ** (-26 / 20) / level
        quiet = np.zeros(int(PAUSE * RATE))
        places.append([at / RATE, (at + len(quiet) * 2 + len(sound)) / RATE])
        parts += [quiet, sound, quiet]
        at += len(quiet) * 2 + len(sound)
    whole = np.concatenate(parts).clip(-32_768, 32_767).astype(np.int16)
    wavfile.write(out, RATE, whole)
    print(json.dumps(places))


def lag(said, heard, most):
    """By how many samples what was heard comes after what was said."""
    like = fftconvolve(heard, said[::-1], "full")[len(said) - 1 : len(said) - 1 + most]
    return int(np.argmax(like)) if len(like) else 0


def read_room(path):
    """A recorder that is ended leaves the length in its header open: read by hand."""
    raw = open(path, "rb").read()
    start = raw.find(b"data") + 8
    pairs = (len(raw) - start) // 4
    if raw[22] == 1:
        return None, np.frombuffer(raw[start : start + pairs * 4], "<i2").astype(np.float64)
    both = np.frombuffer(raw[start : start + pairs * 4], "<i2").reshape(-1, 2)
    return both[:, 0].astype(np.float64), both[:, 1].astype(np.float64)


def score(job):
    said_file, places, room = job
    room, width = room.rsplit(":", 1)
    wide = width == "wide"
    said, heard = read_room(room)
    original = load(said_file)
    alone = said is None
    if alone:
        said, first = original, 0
        shift = lag(original, heard, len(heard)) - RATE // 5
        heard = heard[shift:] if shift > 0 else np.concatenate([np.zeros(-shift), heard])
    else:
        first = lag(original[: 3 * RATE], said, len(said))
    rate = 16_000 if wide else 8_000
    down = lambda sound: resample_poly(sound, rate, RATE)
    scores, delays = [], []
    for begin, end in places:
        a, b = first + int(begin * RATE), first + int(end * RATE)
        # Two seconds are more than any delay here.
        one, other = said[a:b], heard[a : b + 2 * RATE]
        if len(one) < RATE or len(other) < (b - a) // 2 or not np.any(other):
            scores.append(None)
            delays.append(None)
            continue
        windows = [
            lag(one[k : k + RATE], other[k : k + 3 * RATE], 2 * RATE)
            for k in range(RATE // 2, len(one) - RATE, RATE)
        ]
        shift = int(np.median(windows))
        delays.append(None if alone else shift / RATE * 1_000)
        answer = other[shift : shift + len(one)]
        answer = np.pad(answer, (0, len(one) - len(answer)))
        try:
            scores.append(float(pesq(rate, down(one), down(answer), "wb" if wide else "nb")))
        except PesqError:
            scores.append(None)
    return {"pesq": scores, "delay": delays}


if __name__ == "__main__":
    if sys.argv[1] == "speech":
        speech(sys.argv[2], sys.argv[3:])
    else:
        rooms = [(sys.argv[2], json.loads(sys.argv[3]), room) for room in sys.argv[4:]]
        with multiprocessing.Pool() as pool:
            print(json.dumps(pool.map(score, rooms, chunksize=1)))
