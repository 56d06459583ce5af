"""Decoded frames against what was drawn, their times against when they were shown; and files that are no clips."""

from __future__ import annotations

import resource
import shutil
import struct
import time
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from qwenvl.errors import MediaError
from qwenvl.processing.files import clip_scan, clips
from qwenvl.processing.files import video_streams as streams
from qwenvl.processing.files.clips import ClipFile, open_clip
from qwenvl.processing.geometry import pictures, pixels
from tests.support.clips import CODECS, drawn, encode, encode_sound, number_of, patched, turned

UNEVEN = [0, 40, 60, 200, 220, 600, 1000, 1020, 1500, 1520, 2000, 2200]


def numbers(clip: ClipFile, indices: list[int]) -> list[int]:
    return [number_of(frame) for frame in clip.read(indices)]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The stamp of every frame that is decoded, as it is."""
    stamps: list[int] = []
    step = streams._Frames._step

    def recorded(self: streams._Frames) -> None:
        step(self)
        stamps.append(self._stamp)

    monkeypatch.setattr(streams._Frames, "_step", recorded)
    return stamps


@pytest.mark.parametrize("name", CODECS)
def test_frames_are_those_drawn_and_shown_when_they_were_drawn(name: str, tmp_path: Path) -> None:
    clip = open_clip(encode(tmp_path / name, CODECS[name], count=40, rate=20))
    assert clip.size == (64, 48)
    assert clip.fps == pytest.approx(20, rel=1e-6)
    assert clip.times == pytest.approx([frame / 20 for frame in range(40)], abs=1e-3)
    assert numbers(clip, list(range(40))) == list(range(40))
    assert numbers(clip, [0, 7, 8, 23, 39]) == [0, 7, 8, 23, 39]


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "vp9.webm", "mpeg4.mp4", "gif.gif"])
def test_a_variable_rate_keeps_every_frame_at_its_own_time(name: str, tmp_path: Path) -> None:
    clip = open_clip(encode(tmp_path / name, CODECS[name], count=len(UNEVEN), stamps=UNEVEN))
    if name != "gif.gif":  # its times are hundredths of a second, and its last frame's length its own
        assert clip.fps == pytest.approx(len(UNEVEN[1:]) / 2.2, rel=0.2)
    assert clip.times == pytest.approx([stamp / 1000 for stamp in UNEVEN], abs=1e-3)
    assert numbers(clip, list(range(len(UNEVEN)))) == list(range(len(UNEVEN)))


def test_frames_between_frames_come_in_the_order_they_are_shown(tmp_path: Path) -> None:
    path = encode(tmp_path / "b.mp4", count=30, bf=3, x264opts="b-adapt=0:scenecut=0")
    with av.open(path) as file:
        stored = [packet.pts for packet in file.demux(video=0) if packet.size]
    assert stored != sorted(stored)
    clip = open_clip(path)
    assert list(clip.times) == sorted(clip.times)
    assert numbers(clip, list(range(30))) == list(range(30))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotation_in_the_header_sets_frames_upright(quarters: int, tmp_path: Path) -> None:
    clip = open_clip(turned(encode(tmp_path / "turned.mp4"), quarters))
    assert clip.size == ((48, 64) if quarters % 2 else (64, 48))
    for index, frame in zip([3, 20], clip.read([3, 20]), strict=True):
        assert frame.size == clip.size
        back = frame.rotate(90 * quarters, expand=True)  # anticlockwise, as it lies in the file
        assert number_of(back) == index


def test_odd_sizes_and_sound_change_nothing(tmp_path: Path) -> None:
    clip = open_clip(encode(tmp_path / "odd.webm", "libvpx-vp9", size=(75, 49), sound=True))
    assert clip.size == (75, 49)
    assert len(clip.times) == 30
    assert numbers(clip, [0, 13, 29]) == [0, 13, 29]


def test_colours_survive(tmp_path: Path) -> None:
    colours = [(220, 30, 40), (20, 200, 60), (30, 60, 210), (240, 240, 20)]
    with av.open(tmp_path / "colours.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=4, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for colour in colours:
            pixels = np.full((32, 32, 3), colour, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        file.mux(stream.encode())
    frames = open_clip(tmp_path / "colours.mp4").read(range(4))
    for colour, frame in zip(colours, frames, strict=True):
        assert frame.getpixel((16, 16)) == pytest.approx(colour, abs=4)


def test_a_container_that_knows_no_duration(tmp_path: Path) -> None:
    path = encode(tmp_path / "live.mkv", container={"live": "1"})
    with av.open(path) as file:
        assert file.duration is None
    clip = open_clip(path)
    assert len(clip.times) == 30
    assert clip.fps == pytest.approx(25)
    assert numbers(clip, [0, 11, 29]) == [0, 11, 29]


def test_a_stream_without_times_is_counted_and_says_so(tmp_path: Path) -> None:
    clip = open_clip(encode(tmp_path / "bare.h264", count=20))
    assert clip.times == pytest.approx([frame / 25 for frame in range(20)])
    assert "does not say when its frames are shown" in clip.note
    assert numbers(clip, [0, 9, 19]) == [0, 9, 19]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations_keep_their_frames_and_times(suffix: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(drawn(number)) for number in range(8)]
    shown = [40, 40, 200, 100, 60, 500, 40, 120]
    path = tmp_path / f"animated{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=shown, lossless=True)
    clip = open_clip(path)
    assert clip.times == pytest.approx([sum(shown[:index]) / 1000 for index in range(8)])
    assert clip.fps == pytest.approx(8 / 1.1)
    for index, frame in zip([1, 5, 7], clip.read([1, 5, 7]), strict=True):
        assert np.array_equal(np.asarray(frame), drawn(index))


def test_frames_of_an_animation_that_ask_for_no_time_stand_as_in_browsers(tmp_path: Path) -> None:
    frames = [Image.fromarray(drawn(number)) for number in range(3)]
    frames[0].save(tmp_path / "fast.gif", save_all=True, append_images=frames[1:], duration=0)
    assert open_clip(tmp_path / "fast.gif").times == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "vp9.webm", "mpeg4.avi"])
def test_jumping_to_keyframes_shows_the_same_frames_and_decodes_fewer(
    name: str, tmp_path: Path, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = open_clip(encode(tmp_path / name, CODECS[name], count=200, g=10))
    wanted = [0, 3, 64, 65, 120, 199]
    assert numbers(clip, wanted) == wanted
    jumped = len(steps)
    steps.clear()
    monkeypatch.setattr(streams, "_SEEK_FROM", 10_000)
    assert numbers(clip, wanted) == wanted
    assert jumped < len(steps) / 2
    assert len(set(steps)) == len(steps) <= 200  # each frame once


def test_frames_that_nothing_builds_on_are_left_out_unless_wanted(tmp_path: Path, steps: list[int]) -> None:
    clip = open_clip(encode(tmp_path / "b.mp4", count=60, bf=3, x264opts="b-adapt=0:scenecut=0:b-pyramid=none"))
    assert numbers(clip, list(range(60))) == list(range(60))
    assert len(steps) == 60
    for start in range(4):
        steps.clear()
        wanted = list(range(start, 60, 9))
        assert numbers(clip, wanted) == wanted
        assert len(steps) < 30


def test_where_a_container_lists_no_keyframes_it_is_walked_through(tmp_path: Path) -> None:
    wanted = [0, 3, 64, 65, 120, 199]
    assert numbers(open_clip(encode(tmp_path / "clip.ts", count=200, g=10)), wanted) == wanted


def test_a_frame_is_made_small_before_the_next_is_decoded(tmp_path: Path) -> None:
    clip = open_clip(encode(tmp_path / "clip.mp4"))
    sizes: list[tuple[int, int]] = []

    def shrink(frame: Image.Image) -> Image.Image:
        sizes.append(pictures.as_picture(frame).size)
        return pixels.resize_frame(frame, 28, 28)

    frames = clip.read([2, 9, 20], shrink)
    first = next(frames)
    assert sizes == [(64, 48)]
    assert first.size == (28, 28)
    assert [number_of(frame) for frame in (first, *frames)] == [2, 9, 20]


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", count=10)
    assert open_clip(path) is open_clip(path)
    assert len(open_clip(encode(path, count=20)).times) == 20


# --- files that are no clips, or broken ---


def test_a_clip_cut_short_says_so(tmp_path: Path) -> None:
    whole = encode(tmp_path / "whole.mp4", count=60)
    without_index = tmp_path / "no-index.mp4"
    without_index.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(MediaError, match=r"^no-index.mp4 is cut short or damaged"):
        open_clip(without_index)
    fast = encode(tmp_path / "fast.mp4", count=60, container={"movflags": "faststart"}, bf=0, g=1)
    fast.write_bytes(fast.read_bytes()[: fast.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match=r"^fast.mp4 is cut short: 60 frames are promised and \d\d there"):
        open_clip(fast)


@pytest.mark.parametrize("share", [0.9, 0.6, 0.1])
@pytest.mark.parametrize(
    "name", ["h264.mkv", "vp9.webm", "mpeg4.avi", "h264.mov", "pieces.mp4", "a.gif", "a.webp", "a.png"]
)
def test_what_says_how_long_it_is_and_is_shorter_is_refused(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.startswith("a."):
        frames = [Image.fromarray(drawn(number)) for number in range(20)]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    elif name == "pieces.mp4":
        encode(path, count=60, g=10, container={"movflags": "frag_keyframe+empty_moov"})
    else:
        encode(path, CODECS[name], count=60, g=10)
    assert len(open_clip(path).times) in (20, 60)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(MediaError) as refused:
        open_clip(path)
    assert str(refused.value).startswith(path.name)
    assert any(words in str(refused.value) for words in ("cut short", "has no frames"))


def test_the_bytes_that_are_missing_are_counted(tmp_path: Path) -> None:
    path = encode(tmp_path / "cut.mkv", count=60, g=1)
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[: whole // 2])
    with pytest.raises(
        MediaError, match=rf"^cut.mkv is cut short: {whole:,} bytes are promised and {whole // 2:,} there"
    ):
        open_clip(path)


@pytest.mark.parametrize("name", ["live.mkv", "h264.ts"])
def test_of_a_recording_that_was_never_closed_what_is_there_is_read(name: str, tmp_path: Path) -> None:
    live = {"live": "1"} if name == "live.mkv" else {}
    path = encode(tmp_path / name, count=60, g=1, bf=0, container=live)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = open_clip(path)
    assert 10 < len(clip.times) < 50
    last = len(clip.times) - 2  # the very last may be half a frame
    assert numbers(clip, [0, last]) == [0, last]


@pytest.mark.parametrize("tail", [b"", b"ID3" + bytes(200), b"\0\0\xff\xffjunk" + bytes(90)])
def test_what_follows_the_last_box_is_no_loss(tail: bytes, tmp_path: Path) -> None:
    path = encode(tmp_path / "more.mp4", count=6)
    path.write_bytes(path.read_bytes() + tail)
    assert len(open_clip(path).times) == 6


def write_bad(kind: str, path: Path) -> None:
    content = {"empty": b"", "noise": np.random.default_rng(0).bytes(4000), "words": b"no clip at all\n" * 99}
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\nother.ts\n"
    content |= {"playlist": playlist, "header": b"\0\0\0\x18ftypisom\0\0\0\0isom" + bytes(40)}
    if kind in content:
        path.write_bytes(content[kind])
    elif kind == "picture":
        Image.new("RGB", (40, 30), "red").save(path, "PNG")
    elif kind == "sound":
        encode_sound(path)
    elif kind == "codec":
        patched(encode(path), b"avc1", 0, b"")
        patched(path, b"stsd", 12, b"zzzz")
    elif kind == "folder":
        path.mkdir()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("missing", "There is no file bad.mp4; check its name and folder."),
        ("folder", "bad.mp4 is a folder; give a clip in it."),
        ("empty", "bad.mp4 is empty; save or download it again."),
        ("noise", "bad.mp4 is not a clip; give"),
        ("words", "bad.mp4 is not a clip; give"),
        ("playlist", "bad.mp4 is not a clip; give"),
        ("header", "bad.mp4 is cut short or damaged; save or download it again."),
        ("picture", "bad.mp4 is a picture, not a clip; ask about it as a picture."),
        ("sound", "bad.mp4 holds sound and no picture; give a clip."),
        ("codec", "bad.mp4 is in a codec that is not known here; save it as H.264, VP9 or AV1 and try again."),
    ],
)
def test_what_is_no_clip_is_told_in_one_sentence(kind: str, sentence: str, tmp_path: Path) -> None:
    write_bad(kind, tmp_path / "bad.mp4")
    with pytest.raises(MediaError) as error:
        open_clip(tmp_path / "bad.mp4")
    assert str(error.value).startswith(sentence)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("damage", range(12))
def test_damage_in_the_middle_is_read_over_or_told(damage: int, tmp_path: Path) -> None:
    random = np.random.default_rng(damage)
    path = encode(tmp_path / f"hurt.{('mp4', 'mkv', 'avi', 'gif')[damage % 4]}", "gif" if damage % 4 == 3 else "mpeg4")
    data = bytearray(path.read_bytes())
    start = int(random.integers(0, len(data) - 60))
    data[start : start + 60] = random.bytes(60)
    path.write_bytes(data)
    try:
        clip = open_clip(path)
        frames = list(clip.read([0, len(clip.times) - 1]))
    except MediaError as refusal:
        frames, told = [], str(refusal)
    else:
        told = path.name
    assert told.startswith(path.name)
    assert len({frame.size for frame in frames}) <= 1


@pytest.mark.parametrize(("timescale", "fps"), [(2**31 - 1, 4e6), (1, 25 / 12_800)])
def test_absurd_rates_are_taken_at_their_word_and_bounded(timescale: int, fps: float, tmp_path: Path) -> None:
    path = patched(
        encode(tmp_path / "absurd.mp4", container={"use_editlist": "0"}, bf=0),
        b"mdhd",
        12,
        struct.pack(">I", timescale),
    )
    clip = open_clip(path)
    assert clip.fps == pytest.approx(fps, rel=0.1)
    rate = "4,194,304" if fps > 1 else "0.002"
    assert clip.note == f"absurd.mp4 says that it shows {rate} frames a second; its times are taken as they stand."
    assert len(clip.times) == 30
    assert numbers(clip, [0, 29]) == [0, 29]


def test_a_clip_of_days_says_so(tmp_path: Path) -> None:
    hours = [3_600_000 * index for index in range(40)]
    clip = open_clip(encode(tmp_path / "days.mp4", count=40, stamps=hours))
    assert clip.note.startswith("days.mp4 says that it shows 0.00028 frames")
    clip = ClipFile(tmp_path / "x", (8, 8), tuple(range(100)), 1.0, False)
    assert clips._absurd(clip.path, clip.times, 1.0) == ""
    told = clips._absurd(Path("long.mp4"), tuple(range(30 * 3600)), 1.0)
    assert told == "long.mp4 says that it lasts 30 hours; its times are taken as they stand."


def test_a_rate_the_frames_do_not_bear_out_is_not_believed() -> None:
    times = [index / 10 for index in range(21)]
    assert streams._frames_a_second(times, streams.Fraction(1000)) == pytest.approx(10)
    assert streams._frames_a_second(times, streams.Fraction(30_000, 2997)) == 30_000 / 2997
    assert streams._frames_a_second(times, None) == pytest.approx(10)


def test_ten_thousand_frames_are_opened_and_sampled_in_seconds(tmp_path: Path) -> None:
    path = encode(tmp_path / "long.mp4", "mpeg4", count=10_000, rate=100, size=(32, 24), g=50)
    shutil.copy(path, tmp_path / "copy.mp4")  # not yet known
    started = time.process_time()
    clip = open_clip(tmp_path / "copy.mp4")
    assert len(clip.times) == 10_000
    wanted = list(range(0, 10_000, 900))
    assert numbers(clip, wanted) == [number % 4096 for number in wanted]
    assert time.process_time() - started < 20


def test_more_frames_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (streams, clip_scan):
        monkeypatch.setattr(module, "MAX_FRAMES", 20)
    for name in ("many.mp4", "many.h264"):
        with pytest.raises(MediaError, match="has more than 20 frames; cut it into shorter clips"):
            open_clip(encode(tmp_path / name, count=30))


def test_frames_of_too_many_pixels_are_refused_before_one_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(tmp_path / "huge.mp4")
    monkeypatch.setattr(streams, "MAX_DECODED_PIXELS", 64 * 48 - 1)
    with pytest.raises(MediaError, match="has frames of more than 3,071 pixels; scale it down first"):
        open_clip(path)


@pytest.mark.slow
def test_frames_of_8k_take_bounded_memory(tmp_path: Path) -> None:
    path = encode(tmp_path / "8k.mp4", count=2, rate=2, size=(7680, 4320), preset="ultrafast")
    clip = open_clip(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    frames = [number_of(frame) for frame in clip.read(range(2), lambda frame: pixels.resize_frame(frame, 504, 280))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert frames == [0, 1]
    assert peak < 500 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_400 << 10
