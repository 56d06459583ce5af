"""Reads video files through PyAV: when each frame is shown, and any of them.

The packets of a stream carry the times of its frames, so that all are known before one is decoded, whatever the header
promises. Only where packets are silent (a bare H.264 stream) is everything decoded to count.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from qwenvl.errors import MediaError, Sentence
from qwenvl.processing.files.clip_scan import MAX_FRAMES, Scan, UnknownCodecError, too_many_frames
from qwenvl.processing.files.picture_files import MAX_DECODED_PIXELS, shown_name

NO_DECODER = (av.DecoderNotFoundError, UnknownCodecError)  # what is raised where the codec is not known here

# Containers that hold their frames themselves: a playlist, for one, would open other files.
_FORMATS = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "ivf", "obu"),
    *("flv", "asf", "ogg", "nut", "mxf", "gif", "apng", "yuv4mpegpipe", "3gp", "dv", "rm"),
    *("mp3", "wav", "flac", "aac", "aiff"),  # sound alone: recognised so as to say so
)
_INDEXED = ("mov", "matroska", "avi")  # containers that list their keyframes; in others a jump may miss
_SEEK_FROM = 12  # frames that a jump to a keyframe must save, since it empties the decoder
_THREADS = 4
_THREADED_PIXELS = 3840 * 2160  # larger frames are decoded by one thread: each thread holds frames of its own


@dataclass(frozen=True)
class _Timeline:
    """Presentation stamps of all frames in order, and of the keyframes; in the stream's time base.

    `packets` counts those too that the file itself leaves out; `silent`: it holds no stamps, and these count frames;
    `lost`: frames at the beginning that build on others before it, so that nobody can decode them.
    """

    stamps: tuple[int, ...]
    keys: tuple[int, ...]
    packets: int
    silent: bool
    lost: int = 0


def scan(path: Path) -> Scan:
    """Size, times and rate of a video.

    Raises:
        MediaError: no picture in it, too large or too many frames, or fewer than the header promises.
        UnknownCodecError: no decoder.
        Others: whatever PyAV raises on a damaged file.
    """
    timeline = _timeline(path, path.stat().st_mtime_ns)
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None or not timeline.stamps:
            raise MediaError(Sentence.of("{name} has no frames; save or download it again.", name=shown_name(path)))
        _check_promise(path, container, len(stream.index_entries), timeline.packets)
        size, rate, base = _upright_size(first), stream.average_rate, stream.time_base or Fraction(1)
    if timeline.silent:
        rate = rate or Fraction(25)
        note = f"{shown_name(path)} does not say when its frames are shown; {float(rate):g} a second are assumed."
        return Scan(size, tuple(float(index / rate) for index in timeline.stamps), float(rate), note)
    times = tuple(float((stamp - timeline.stamps[0]) * base) for stamp in timeline.stamps)
    return Scan(size, times, _frames_a_second(times, rate), _lost(path, timeline.lost))


def _lost(path: Path, lost: int) -> str:
    """What to say of frames that cannot be decoded."""
    if not lost:
        return ""
    frames, build = ("1 frame", "builds") if lost == 1 else (f"{lost:,} frames", "build")
    return (
        f"{shown_name(path)} begins with {frames} that {build} on what was cut off before; the clip is counted from "
        "the first one that can be decoded."
    )


def read(path: Path, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """These frames, ascending, upright RGB, uint8 (height, width, 3); none is decoded twice.

    Raises:
        MediaError: the stream ends before one of them.
        Others: whatever PyAV raises on a damaged file.
    """
    timeline = _timeline(path, path.stat().st_mtime_ns)
    with _opened(path) as (container, stream):
        frames = _Frames(container, stream, timeline, indices)
        for index in indices:
            yield _upright(frames.at(index))


class _Frames:
    """Walks a stream from frame to frame, forwards, jumping to a keyframe where that saves decoding.

    Between the frames that are wanted, those that no other frame builds on are left out: about half of most files.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        timeline: _Timeline,
        indices: Sequence[int],
    ) -> None:
        self._container, self._stream, self._timeline = container, stream, timeline
        self._wanted = {timeline.stamps[index] for index in indices}
        self._walk = self._decode()
        self._stamp = -1  # of the frame where the walk stands
        self._frame: av.VideoFrame | None = None

    def at(self, index: int) -> av.VideoFrame:
        if not self._timeline.silent:
            self._jump_towards(index)
        wanted = self._timeline.stamps[index]
        while self._frame is None or self._stamp < wanted:
            self._step()
        return self._frame

    def _decode(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """(stamp, frame), in the order they are shown."""
        if self._timeline.silent:
            yield from enumerate(self._container.decode(self._stream))
            return
        for packet in self._container.demux(self._stream):
            needed = packet.pts is None or packet.pts in self._wanted
            self._stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            yield from ((frame.pts, frame) for frame in packet.decode() if frame.pts is not None)

    def _step(self) -> None:
        self._stamp, self._frame = next(self._walk, (0, None))
        if self._frame is None:
            raise EOFError  # a sentence follows in `clips`: cut short or damaged

    def _jump_towards(self, index: int) -> None:
        """Go on from the last keyframe at or before a frame, if that lies well ahead."""
        stamps, keys = self._timeline.stamps, self._timeline.keys
        place = bisect_right(keys, stamps[index]) - 1
        here = 0 if self._frame is None else bisect_right(stamps, self._stamp)
        if place < 0 or bisect_right(stamps, keys[place]) - here < _SEEK_FROM:
            return
        self._container.seek(keys[place], stream=self._stream)
        self._walk = self._decode()
        self._step()
        if self._stamp > stamps[index]:  # a seek that overshot, in a file whose index lies: walk from the start
            self._container.seek(stamps[0], stream=self._stream)
            self._walk = self._decode()
            self._step()


# --- opening ---


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    options = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "file"}
    with av.open(f"file:{path.resolve()}", options=options) as container:
        yield container, _moving_stream(path, container)


def _moving_stream(path: Path, container: av.container.InputContainer) -> av.VideoStream:
    """The first stream of frames that is no cover of a song."""
    cover = av.stream.Disposition.attached_pic
    moving = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not moving:
        what = "sound and no picture" if container.streams.audio else "no picture"
        raise MediaError(Sentence.of("{name} holds {what}; give a clip.", name=shown_name(path), what=what))
    stream = moving[0]
    if stream.codec_context is None:
        raise UnknownCodecError
    pixels = (stream.codec_context.width or 0) * (stream.codec_context.height or 0)
    if pixels > MAX_DECODED_PIXELS:
        raise MediaError(
            Sentence.of(
                "{name} has frames of more than {most} pixels; scale it down first.",
                name=shown_name(path),
                most=f"{MAX_DECODED_PIXELS:,}",
            )
        )
    stream.thread_type = "AUTO" if pixels <= _THREADED_PIXELS else "SLICE"
    stream.codec_context.thread_count = _THREADS
    return stream


@lru_cache(maxsize=16)
def _timeline(path: Path, _modified: int) -> _Timeline:
    """From the packets, or where they do not tell, from decoding everything."""
    stamps, keys, packets, first = list[int](), list[int](), 0, None
    with _opened(path) as (container, stream):
        for packet in container.demux(stream):
            packets += bool(packet.size)
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None:
                return _counted(path)
            stamps.append(packet.pts)
            first = packet.pts if first is None and packet.is_keyframe else first
            if packet.is_keyframe and container.format.name.startswith(_INDEXED):
                keys.append(packet.pts)
            if len(stamps) > MAX_FRAMES:
                raise too_many_frames(shown_name(path))
    if len(set(stamps)) < len(stamps) or first is None:
        return _counted(path)
    decoded = _decodable(path, sorted(stamps), first)
    return _Timeline(decoded, tuple(sorted(keys)), packets, silent=False, lost=len(stamps) - len(decoded))


def _decodable(path: Path, stamps: list[int], first: int) -> tuple[int, ...]:
    """The stamps without those before the first keyframe's that no decoder shows: of a stream that was cut between
    keyframes, or that begins with frames which build on an earlier one (an open group)."""
    if stamps[0] >= first:
        return tuple(stamps)
    shown = set[int]()
    with _opened(path) as (container, stream):
        for frame in container.decode(stream):
            if frame.pts is None or frame.pts >= first:
                break
            shown.add(frame.pts)
    return tuple(stamp for stamp in stamps if stamp >= first or stamp in shown)


def _counted(path: Path) -> _Timeline:
    """Frames as the decoder shows them, with their stamps if every one has its own."""
    stamps: list[int | None] = []
    with _opened(path) as (container, stream):
        for frame in container.decode(stream):
            stamps.append(frame.pts)
            if len(stamps) > MAX_FRAMES:
                raise too_many_frames(shown_name(path))
    known = [stamp for stamp in stamps if stamp is not None]
    if len(set(known)) == len(stamps) and known == sorted(known):
        return _Timeline(tuple(known), (), len(stamps), silent=False)
    return _Timeline(tuple(range(len(stamps))), (), len(stamps), silent=True)


def _check_promise(path: Path, container: av.container.InputContainer, promised: int, packets: int) -> None:
    """An MP4 lists its frames one by one: fewer of them mean that its end is missing. Counts in other headers lie."""
    if "mp4" in container.format.name and packets < promised:
        raise MediaError(
            Sentence.of(
                "{name} is cut short: {promised} frames are promised and {there} there; save or download it again.",
                name=shown_name(path),
                promised=f"{promised:,}",
                there=f"{packets:,}",
            )
        )


def _frames_a_second(times: Sequence[float], promised: Fraction | None) -> float:
    """What the file says, where its frames bear it out; otherwise what they say themselves."""
    if len(times) < 2:
        return float(promised or 1)
    measured = (len(times) - 1) / (times[-1] - times[0])
    if promised and abs(float(promised) - measured) <= measured / (len(times) - 1):
        return float(promised)
    return measured


# --- one frame ---


def _turns(frame: av.VideoFrame) -> int:
    """Quarter turns, anticlockwise, that set a frame upright."""
    return round(frame.rotation / 90) % 4


def _upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    return (frame.height, frame.width) if _turns(frame) % 2 else (frame.width, frame.height)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), _turns(frame)))
